// SPDX-License-Identifier: Apache-2.0
//
// The sweeper as a store's user sees it: what has expired goes, what has not
// stays, and what is written meanwhile wins.
#include "engine/sweeper.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::Eq;

// So late is a sweep at most, of a short time to live.
constexpr absl::Duration kSlack = absl::Seconds(128);

class SweeperTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = dir_.Path("store"),
                     .keys = TestKeys(),
                     .cleanup_interval = absl::ZeroDuration(),
                     .clock = &clock_});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  void Set(std::string key, absl::Duration ttl) {
    EXPECT_THAT(store_->Set({.key = std::move(key), .value = "v", .ttl = ttl}),
                IsOk());
  }
  uint64_t Records() { return store_->GetStats()->records; }
  void AwaitRecords(uint64_t count) {
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    while (Records() != count && absl::Now() < give_up) {
      std::this_thread::yield();
    }
    ASSERT_EQ(Records(), count);
  }

  MemoryDir dir_;
  FakeClock clock_;
  std::unique_ptr<Store> store_;
};

// Whatever stands first of many due entries, the rest is reached.
TEST_F(SweeperTest, PassesWhatItKeepsAndComesToTheEnd) {
  for (int i = 0; i < 700; ++i) {
    const std::string key = absl::StrCat("k", i);
    Set(key, absl::Seconds(1));
    // Two of three are refreshed, or no longer expire.
    if (i % 3 == 1) Set(key, absl::Hours(9));
    if (i % 3 == 2) {
      EXPECT_THAT(store_->Set({.key = key, .value = "v"}), IsOk());
    }
  }
  clock_.Advance(kSlack);
  EXPECT_THAT(store_->Sweep(), IsOkAndHolds(Eq(234)));
  EXPECT_EQ(Records(), 466u);
  EXPECT_THAT(store_->Sweep(), IsOkAndHolds(Eq(0)));
  clock_.Advance(absl::Hours(12));
  EXPECT_THAT(store_->Sweep(), IsOkAndHolds(Eq(233)));
  EXPECT_EQ(Records(), 233u);
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
}

TEST_F(SweeperTest, RemovesNothingByAClockThatJumped) {
  Set("a", absl::Hours(1));
  clock_.Jump(absl::Hours(24 * 365 * 12));
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(IsMissing()));
  EXPECT_THAT(store_->Sweep(), IsOkAndHolds(Eq(0)));
  clock_.Jump(-absl::Hours(24 * 365 * 12));
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(HasValue("v")));
}

TEST_F(SweeperTest, AMarkReachedBeforeAClockWasSetBackOutlivesTheStore) {
  Set("a", absl::Minutes(1));
  Set("b", absl::Hours(24 * 30));
  clock_.Advance(absl::Minutes(2));
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(IsMissing()));
  Set("c", absl::Hours(24 * 30));  // a commit, which keeps the mark
  clock_.Jump(-absl::Hours(24));
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(IsMissing()));
  store_.reset();
  Open();
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(IsMissing()));
  EXPECT_THAT(store_->Get("b"), IsOkAndHolds(HasValue("v")));
}

// A store that was made, and used for hours, while the clock was wrong by
// years.
TEST_F(SweeperTest, AMarkOfAWrongClockIsForgottenForGood) {
  clock_.Jump(absl::Hours(24 * 365 * 12));
  for (int hour = 0; hour < 3; ++hour) {
    clock_.Advance(absl::Hours(1));
    Set("busy", absl::Hours(9));
  }
  clock_.Jump(-absl::Hours(24 * 365 * 12));
  Set("a", absl::Hours(9));
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(IsMissing()));
  clock_.Advance(absl::Hours(1));
  Set("a", absl::Hours(9));
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(HasValue("v")));
  store_.reset();
  Open();
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(HasValue("v")));
  EXPECT_THAT(store_->Sweep(), IsOk());
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(HasValue("v")));
}

TEST_F(SweeperTest, StartsStopsAndChangesItsIntervalAtAnyTime) {
  Set("a", absl::Seconds(1));
  clock_.Advance(kSlack);
  store_->SetCleanupInterval(absl::Milliseconds(1));
  AwaitRecords(0);
  store_->SetCleanupInterval(absl::ZeroDuration());
  // A sweep may be under way; the next call waits for none.
  EXPECT_THAT(store_->Sweep(), IsOk());
  store_->SetCleanupInterval(absl::Hours(1));
  Set("b", absl::Seconds(1));
  clock_.Advance(kSlack);
  store_->SetCleanupInterval(absl::Milliseconds(1));
  AwaitRecords(0);
}

// Told twice, it must not forget that it was told.
TEST_F(SweeperTest, TheSameIntervalTwiceIsStillAChange) {
  for (int i = 0; i < 200; ++i) {
    Set("a", absl::Seconds(1));
    clock_.Advance(kSlack);
    store_->SetCleanupInterval(absl::Milliseconds(1));
    store_->SetCleanupInterval(absl::Milliseconds(1));
    ASSERT_NO_FATAL_FAILURE(AwaitRecords(0));
    store_->SetCleanupInterval(absl::ZeroDuration());
  }
}

TEST_F(SweeperTest, NeverRemovesWhatIsWrittenMeanwhile) {
  std::atomic<bool> stop = false;
  std::thread sweeping([&] {
    while (!stop) EXPECT_THAT(store_->Sweep(), IsOk());
  });
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 5; ++i) Set(absl::StrCat("k", i), absl::Seconds(1));
    clock_.Advance(kSlack);
    for (int i = 0; i < 5; ++i) {
      const std::string key = absl::StrCat("k", i);
      Set(key, absl::Hours(1));
      EXPECT_THAT(store_->Get(key), IsOkAndHolds(HasValue("v")));
    }
  }
  stop = true;
  sweeping.join();
  EXPECT_EQ(Records(), 5u);
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
}

}  // namespace
}  // namespace statecpp
