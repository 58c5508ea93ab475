// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_DAMAGED_STORE_H_
#define STATECPP_TESTS_SUPPORT_DAMAGED_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/keys.h"
#include "engine/lmdb_environment.h"
#include "engine/store.h"
#include "engine/store_header.h"
#include "engine/store_verifier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {

// A store, and the words to change its tables behind its back. Listed as a
// source of engine's tests, which alone may see these parts; they name
// :store_walker as their data.
class DamagedStoreTest : public ::testing::Test {
 protected:
  using Table = LmdbEnvironment::Table;
  using Entries = std::map<std::string, std::string>;

  void SetUp() override { Open(); }

  Options StoreOptions() {
    return {.path = path_,
            .keys = TestKeys(),
            .cleanup_interval = absl::ZeroDuration(),
            .clock = &clock_};
  }

  void Open() {
    store_.reset();
    absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(StoreOptions());
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  void Close() { store_.reset(); }

  Store& store() { return *store_; }

  // Of the store, which is closed by it.
  Entries ReadTable(Table table = Table::kRecords) {
    Close();
    const auto environment = LmdbEnvironment::Open(path_, 0, nullptr).value();
    Entries entries;
    EXPECT_THAT(environment->BeginRead()->Scan(
                    table, "",
                    [&entries](absl::string_view key, absl::string_view value) {
                      entries.emplace(key, value);
                      return true;
                    }),
                IsOk());
    return entries;
  }

  // Puts entries, or removes those of nullopt. Closes the store.
  void WriteTable(Table table,
                  const std::map<std::string, std::optional<std::string>>& to) {
    Close();
    const auto environment = LmdbEnvironment::Open(path_, 0, nullptr).value();
    LmdbEnvironment::WriteTransaction txn = environment->BeginWrite().value();
    for (const auto& [key, value] : to) {
      EXPECT_THAT(value.has_value() ? txn.Put(table, key, *value)
                                    : txn.Delete(table, key),
                  IsOk());
    }
    EXPECT_THAT(txn.Commit(), IsOk());
  }
  void WriteRecord(const std::string& place, std::optional<std::string> to) {
    WriteTable(Table::kRecords, {{place, std::move(to)}});
  }

  std::shared_ptr<const Keyring> ReadKeyring() {
    const std::string header = ReadTable(Table::kMeta).at("header");
    return OpenHeader(header, TestKeys().get(), path_)->keyring;
  }

  // Where the record of a user's key stands. Closes the store.
  std::string PlaceOf(absl::string_view key) {
    return RecordKey(ReadKeyring()->paths(), key);
  }

  // Of the store, closed.
  struct Verified {
    absl::StatusOr<WalkReport> report;
    std::vector<WalkFinding> findings;
  };
  Verified Verify(VerifyRequest request = {}) {
    Close();
    request.program = {"engine/store_walker"};
    std::vector<WalkFinding> findings;
    absl::StatusOr<WalkReport> report =
        VerifyClosedStore(StoreOptions(), request,
                          {.found =
                               [&findings](const WalkFinding& finding) {
                                 findings.push_back(finding);
                               },
                           .progress = nullptr});
    EXPECT_THAT(report, IsOk());
    return {std::move(report), std::move(findings)};
  }

  MemoryDir dir_;
  const std::string path_ = dir_.Path("store");
  FakeClock clock_;

 private:
  std::unique_ptr<Store> store_;
};

MATCHER_P2(IsFinding, kind, place, "is a finding of a kind at a place") {
  *result_listener << std::string(NameOf(arg.kind)) << " "
                   << ::testing::PrintToString(arg.place) << ": " << arg.reason;
  return arg.kind == kind && arg.place == place;
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_DAMAGED_STORE_H_
