// SPDX-License-Identifier: Apache-2.0
//
// What calls of many parts promise of the order and the moment of their parts.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

constexpr absl::StatusCode kMismatch = absl::StatusCode::kFailedPrecondition;

// A clock on which a millisecond passes with every look.
class TickingClock final : public Clock {
 public:
  absl::Time Now() override { return absl::FromUnixMillis(Tick()); }
  absl::Duration Monotonic() override { return absl::Milliseconds(Tick()); }

 private:
  int64_t Tick() {
    absl::MutexLock lock(&mutex_);
    return ++now_;
  }

  absl::Mutex mutex_;
  int64_t now_ ABSL_GUARDED_BY(mutex_) = 1'790'000'000'000;
};

class StoreOrderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = dir_.Path("store"),
                     .keys = TestKeys(),
                     .cleanup_interval = absl::ZeroDuration(),
                     .clock = &clock_});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  MemoryDir dir_;
  TickingClock clock_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreOrderTest, ABulkWriteTakesTheOpsOfOneKeyInOrder) {
  const ETag first = store_->Set({.key = "a", .value = "0"}).value();
  const auto results = store_->BulkWrite(
      {{.kind = WriteOp::Kind::kDelete, .key = "a"},
       {.key = "b", .value = "between"},
       {.key = "a", .value = "1", .precondition = Precondition::Absent()},
       {.key = "a", .value = "2", .precondition = Precondition::Absent()},
       {.key = "a", .value = "3", .precondition = Precondition::Match(first)},
       {.key = ""},
       {.key = ""},
       {.key = "a", .value = "4"}});
  ASSERT_EQ(results.size(), 8u);
  EXPECT_THAT(results[0], IsOk());
  EXPECT_THAT(results[1], IsOk());
  EXPECT_THAT(results[2], IsOk());
  EXPECT_THAT(results[3], HasCode(kMismatch));
  EXPECT_THAT(results[4], HasCode(kMismatch));
  EXPECT_THAT(results[5], HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(results[6], HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(results[7], IsOk());
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(HasValue("4")));
  EXPECT_EQ((*store_->Get("a"))->etag, *results[7]);
}

// Answered one after the other, and not one inside the other.
TEST_F(StoreOrderTest, ABulkOfOneKeyMayBeLong) {
  constexpr int kOps = 100'000;
  std::vector<WriteOp> ops(kOps);
  for (WriteOp& op : ops) {
    op.key = "never";
    op.precondition = Precondition::MatchText("never");
  }
  const auto results = store_->BulkWrite(std::move(ops));
  for (const Store::WriteResult& result : results) {
    ASSERT_THAT(result, HasCode(kMismatch));
  }
  EXPECT_THAT(store_->Get("never"), IsOkAndHolds(IsMissing()));

  ops.assign(2000, {.key = "often"});
  for (size_t i = 0; i < ops.size(); ++i) ops[i].value = absl::StrCat(i);
  for (const Store::WriteResult& result : store_->BulkWrite(std::move(ops))) {
    ASSERT_THAT(result, IsOk());
  }
  EXPECT_THAT(store_->Get("often"), IsOkAndHolds(HasValue("1999")));
}

// Written together, with one time to live: read together, both or neither.
TEST_F(StoreOrderTest, ABulkReadJudgesExpiryByOneMoment) {
  std::vector<std::string> names;
  std::vector<WriteOp> ops;
  for (int i = 0; i < 50; ++i) {
    names.push_back(absl::StrCat("k", i));
    ops.push_back({.key = names.back(), .ttl = absl::Milliseconds(400)});
  }
  const std::vector<absl::string_view> keys(names.begin(), names.end());
  ASSERT_THAT(store_->Transact(std::move(ops)), IsOk());
  int all = 0;
  int none = 0;
  while (none == 0) {
    const auto results = store_->BulkGet(keys).value();
    int live = 0;
    for (const Store::ReadResult& result : results) live += result->has_value();
    ASSERT_TRUE(live == 0 || live == 50) << live;
    ++(live == 0 ? none : all);
  }
  EXPECT_GT(all, 0);
}

}  // namespace
}  // namespace statecpp
