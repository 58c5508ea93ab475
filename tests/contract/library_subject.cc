// SPDX-License-Identifier: Apache-2.0
//
// The contract's cases against a Store in this process.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/store.h"
#include "gtest/gtest.h"
#include "tests/contract/subject.h"
#include "tests/contract/write_op.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

class LibrarySubject final : public Subject {
 public:
  LibrarySubject()
      : store_(Store::Open({.path = dir_.Path("store"),
                            .keys = TestKeys(),
                            .clock = &clock_})
                   .value()) {}
  ~LibrarySubject() override { EXPECT_TRUE(store_->CheckIntegrity().ok()); }

  std::optional<Reading> Get(const std::string& key) override {
    return ReadingOf(store_->Get(key).value());
  }
  Readings BulkGet(const std::vector<std::string>& keys) override {
    const std::vector<absl::string_view> views(keys.begin(), keys.end());
    const std::vector<Store::ReadResult> results =
        store_->BulkGet(views).value();
    Readings readings;
    for (const Store::ReadResult& result : results) {
      readings.push_back(ReadingOf(result.value()));
    }
    return readings;
  }
  Verdict Write(const Operation& operation) override {
    WriteOp op = WriteOpOf(operation);
    return Judge(operation.kind == Operation::Kind::kSet
                     ? store_->Set(std::move(op)).status()
                     : store_->Delete(std::move(op)));
  }
  Verdict Bulk(const std::vector<Operation>& operations) override {
    for (const Store::WriteResult& result :
         store_->BulkWrite(WriteOpsOf(operations))) {
      if (!result.ok()) return Judge(result.status());
    }
    return Verdict::kDone;
  }
  Verdict Transact(const std::vector<Operation>& operations) override {
    return Judge(store_->Transact(WriteOpsOf(operations)).status());
  }
  std::optional<std::string> LastRefusal() const override {
    return last_refusal_;
  }
  void AwaitExpiry() override { clock_.Advance(absl::Seconds(2)); }

 private:
  Verdict Judge(const absl::Status& status) {
    if (!status.ok()) last_refusal_ = std::string(status.message());
    return VerdictOf(status.code());
  }

  const MemoryDir dir_;
  FakeClock clock_;
  const std::unique_ptr<Store> store_;
  std::string last_refusal_;
};

}  // namespace

std::unique_ptr<Subject> NewSubject() {
  return std::make_unique<LibrarySubject>();
}

}  // namespace statecpp
