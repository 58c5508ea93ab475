// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_STORAGE_FOR_TEST_H_
#define STATECPP_TESTS_SUPPORT_STORAGE_FOR_TEST_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "crypto/random.h"
#include "engine/lmdb_storage.h"
#include "engine/record.h"
#include "engine/storage.h"
#include "engine/store_header.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {

// A new store's LmdbStorage in a folder of its own, and the words to
// write to it without a Store: places stand for record keys. Listed as a source
// of engine's tests, which alone may see these parts.
class StorageForTest {
 public:
  static constexpr uint64_t kMaxSize = uint64_t{64} << 20;

  explicit StorageForTest(uint64_t max_size = kMaxSize) {
    const std::string header =
        keys_ == nullptr ? NewPlainHeader(SystemRandom())
                         : NewSealedHeader(keys_->front(), SystemRandom());
    EXPECT_TRUE(std::filesystem::create_directory(folder()));
    EXPECT_THAT(LmdbStorage::Make(folder(), header, **Unlock(header),
                                  /*now_ms=*/1, SystemRandom()),
                IsOk());
    EXPECT_THAT(Reopen(max_size), IsOk());
  }

  // Also closes what is open; on failure nothing is open.
  absl::Status Reopen(uint64_t max_size = kMaxSize) {
    storage_.reset();
    absl::StatusOr<std::unique_ptr<LmdbStorage>> storage = LmdbStorage::Open(
        folder(), max_size, SystemRandom(), nullptr,
        [this](absl::string_view header) { return Unlock(header); });
    if (storage.ok()) storage_ = *std::move(storage);
    return storage.status();
  }
  void Close() { storage_.reset(); }

  LmdbStorage* operator->() { return storage_.get(); }
  LmdbStorage& operator*() { return *storage_; }
  std::string folder() const { return dir_.Path("store"); }

  Change Put(std::string place, absl::string_view value,
             Expectation expect = Expectation::Any()) const {
    std::string record =
        SealRecord(*storage_->keyring().Get(), SystemRandom(), place,
                   {.version = 1,
                    .expires_ms = 0,
                    .key = "key",
                    .content_type = "",
                    .value = value});
    return {.space = Space::kRecords,
            .key = std::move(place),
            .expect = std::move(expect),
            .verb = Change::Verb::kPut,
            .value = std::move(record)};
  }

  Change Delete(std::string place,
                Expectation expect = Expectation::Any()) const {
    return {.space = Space::kRecords,
            .key = std::move(place),
            .expect = std::move(expect),
            .verb = Change::Verb::kDelete};
  }

  Change Keep(std::string place, Expectation expect) const {
    return {.space = Space::kRecords,
            .key = std::move(place),
            .expect = std::move(expect),
            .verb = Change::Verb::kKeep};
  }

  absl::StatusOr<std::vector<Verdict>> Commit(const std::vector<Batch>& group) {
    std::vector<const Batch*> batches;
    for (const Batch& batch : group) batches.push_back(&batch);
    return storage_->Commit(batches, /*confirmed_ms=*/1);
  }

  // The value at a place, opened to its last byte; nullopt: nothing there.
  absl::StatusOr<std::optional<std::string>> Read(
      absl::string_view place) const {
    const absl::StatusOr<std::unique_ptr<Snapshot>> snapshot = storage_->Read();
    if (!snapshot.ok()) return snapshot.status();
    return ReadFrom(**snapshot, place);
  }
  absl::StatusOr<std::optional<std::string>> ReadFrom(
      const Snapshot& snapshot, absl::string_view place) const {
    const absl::StatusOr<std::optional<absl::string_view>> record =
        snapshot.Get(Space::kRecords, place);
    if (!record.ok()) return record.status();
    if (!record->has_value()) return std::optional<std::string>();
    const absl::StatusOr<RecordReader> reader =
        RecordReader::Open(*storage_->keyring().Get(), place, **record);
    if (!reader.ok()) return reader.status();
    absl::StatusOr<std::string> value = reader->ReadValue();
    if (!value.ok()) return value.status();
    return std::optional<std::string>(*std::move(value));
  }

  // What is stored is what the accumulator says.
  bool IsWhole() const {
    const absl::StatusOr<WalkOutcome> walked =
        storage_->Walk({.quick = true}, [](const WalkFinding&) {});
    return walked.ok() && walked->report.clean();
  }

 private:
  absl::StatusOr<std::shared_ptr<const Keyring>> Unlock(
      absl::string_view header) const {
    absl::StatusOr<OpenedHeader> opened =
        OpenHeader(header, keys_.get(), folder());
    if (!opened.ok()) return opened.status();
    return std::move(opened->keyring);
  }

  const std::shared_ptr<const MasterKeys> keys_ = TestKeys();
  MemoryDir dir_;
  std::unique_ptr<LmdbStorage> storage_;
};

inline Expectation UnchangedSince(const Change& put) {
  return Expectation::Unchanged(RecordToken(put.value));
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_STORAGE_FOR_TEST_H_
