// SPDX-License-Identifier: Apache-2.0
//
// What expiry believes of a clock that jumps. "Mark" is the high-water mark:
// what may be removed goes by it alone.
#include "engine/trusted_time.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"

namespace statecpp {
namespace {

constexpr absl::Duration kYears = absl::Hours(24 * 365 * 12);

class TrustedTimeTest : public ::testing::Test {
 protected:
  // Time passes with the store in use, as the sweeper alone makes sure.
  void PassInUse(absl::Duration duration) {
    for (absl::Duration done; done < duration; done += absl::Minutes(1)) {
      clock_.Advance(absl::Minutes(1));
      time_.Confirmed();
    }
  }

  FakeClock clock_;
  TrustedTime time_{clock_, clock_.Now()};
};

TEST_F(TrustedTimeTest, FollowsAClockThatRunsInStep) {
  const absl::Time start = clock_.Now();
  for (int i = 1; i <= 100; ++i) {
    clock_.Advance(absl::Seconds(i));
    EXPECT_EQ(time_.Wall(), clock_.Now());
    EXPECT_EQ(time_.ForVisibility(), clock_.Now());
    EXPECT_EQ(time_.Confirmed(), clock_.Now());
  }
  EXPECT_EQ(time_.Confirmed(), start + absl::Seconds(5050));
}

// However long nobody asked: the monotonic clock says that the time passed.
TEST_F(TrustedTimeTest, FollowsAfterAnyPauseInStep) {
  clock_.Advance(kYears);
  EXPECT_EQ(time_.Confirmed(), clock_.Now());
}

TEST_F(TrustedTimeTest, AJumpTo2038AndBackCostsNothing) {
  const absl::Time before = clock_.Now();
  clock_.Jump(kYears);
  // Hidden while it lasts, and not removed.
  EXPECT_EQ(time_.ForVisibility(), before + kYears);
  EXPECT_EQ(time_.Confirmed(), before);
  PassInUse(absl::Minutes(59));
  EXPECT_EQ(time_.Confirmed(), before + absl::Minutes(59));

  clock_.Jump(-kYears);
  EXPECT_EQ(time_.ForVisibility(), before + absl::Minutes(59));
  EXPECT_EQ(time_.Confirmed(), before + absl::Minutes(59));
  PassInUse(absl::Hours(3));
  EXPECT_EQ(time_.Confirmed(), clock_.Now());
}

// The same with nobody asking in between, and with all in one question.
TEST_F(TrustedTimeTest, AJumpThatNobodySawLeavesNoTrace) {
  clock_.Jump(kYears);
  clock_.Advance(absl::Minutes(10));
  clock_.Jump(-kYears);
  EXPECT_EQ(time_.Confirmed(), clock_.Now());
  clock_.Jump(kYears);
  time_.Confirmed();
  clock_.Jump(-kYears);
  EXPECT_EQ(time_.Confirmed(), clock_.Now());
}

TEST_F(TrustedTimeTest, ATrueForwardJumpIsBelievedAfterAnHourInStep) {
  const absl::Time before = clock_.Now();
  clock_.Jump(absl::Hours(24));
  time_.Confirmed();
  PassInUse(absl::Minutes(59));
  EXPECT_EQ(time_.Confirmed(), before + absl::Minutes(59));
  PassInUse(absl::Minutes(1));
  EXPECT_EQ(time_.Confirmed(), before + absl::Hours(25));
}

TEST_F(TrustedTimeTest, TheHourBeginsAnewWithEachJump) {
  const absl::Time before = clock_.Now();
  for (int i = 1; i <= 5; ++i) {
    clock_.Jump(absl::Hours(24));
    time_.Confirmed();
    PassInUse(absl::Minutes(40));
    EXPECT_EQ(time_.Confirmed(), before + i * absl::Minutes(40));
  }
}

TEST_F(TrustedTimeTest, AClockSetBackResurrectsNothing) {
  PassInUse(absl::Hours(1));
  const absl::Time latest = clock_.Now();
  clock_.Jump(-absl::Hours(5));
  EXPECT_EQ(time_.Wall(), latest - absl::Hours(5));
  EXPECT_EQ(time_.ForVisibility(), latest);
  EXPECT_EQ(time_.Confirmed(), latest);
  PassInUse(absl::Hours(4));
  EXPECT_EQ(time_.ForVisibility(), latest);
  // The wall clock is past the mark again.
  PassInUse(absl::Hours(2));
  EXPECT_EQ(time_.ForVisibility(), clock_.Now());
  EXPECT_EQ(time_.ForVisibility(), latest + absl::Hours(1));
}

// Whether the clock was wrong when the store was made, or for so long that it
// was believed.
TEST_F(TrustedTimeTest, AMarkOfAWrongClockFallsAfterAnHourInStep) {
  clock_.Jump(kYears);
  TrustedTime wrong(clock_, clock_.Now());
  clock_.Advance(absl::Hours(2));
  const absl::Time mark = wrong.Confirmed();
  EXPECT_EQ(mark, clock_.Now());
  clock_.Jump(-kYears);
  EXPECT_EQ(wrong.ForVisibility(), mark);
  clock_.Advance(absl::Minutes(59));
  EXPECT_EQ(wrong.ForVisibility(), mark);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(wrong.ForVisibility(), clock_.Now());
  EXPECT_EQ(wrong.Confirmed(), clock_.Now());
  // From then on it is a mark like any other.
  const absl::Time right = clock_.Now();
  clock_.Jump(-absl::Hours(5));
  EXPECT_EQ(wrong.ForVisibility(), right);
}

TEST_F(TrustedTimeTest, AMarkLessThanADayAheadIsWaitedFor) {
  const absl::Time mark = clock_.Now();
  clock_.Jump(-absl::Hours(24) + absl::Minutes(2));
  PassInUse(absl::Minutes(1));
  PassInUse(absl::Hours(12));
  EXPECT_EQ(time_.ForVisibility(), mark);
  EXPECT_EQ(time_.Confirmed(), mark);
}

TEST_F(TrustedTimeTest, TheHourAfterWhichAMarkFallsBeginsAnewWithEachJump) {
  const absl::Time mark = clock_.Now();
  clock_.Jump(-kYears);
  time_.Confirmed();
  for (int i = 0; i < 5; ++i) {
    PassInUse(absl::Minutes(40));
    clock_.Jump(absl::Minutes(10));
    EXPECT_EQ(time_.Confirmed(), mark);
  }
}

TEST_F(TrustedTimeTest, AShortVisitToTheFutureIsNotRemembered) {
  const absl::Time before = clock_.Now();
  clock_.Jump(kYears);
  EXPECT_EQ(time_.ForVisibility(), before + kYears);
  clock_.Jump(-kYears);
  EXPECT_EQ(time_.ForVisibility(), before);
}

TEST_F(TrustedTimeTest, SmallGapsAreTakenAtOnce) {
  clock_.Jump(absl::Minutes(5));
  EXPECT_EQ(time_.Confirmed(), clock_.Now());
  const absl::Time before = clock_.Now();
  clock_.Jump(absl::Minutes(5) + absl::Milliseconds(1));
  EXPECT_EQ(time_.Confirmed(), before);
}

// A time server that slews the clock never looks like a jump.
TEST_F(TrustedTimeTest, ASlewedClockIsFollowed) {
  for (int i = 0; i < 24 * 60; ++i) {
    clock_.Advance(absl::Minutes(1));
    clock_.Jump(absl::Milliseconds(30));  // 500 parts in a million
    EXPECT_EQ(time_.Confirmed(), clock_.Now());
  }
}

TEST_F(TrustedTimeTest, ARestartAfterAShortPauseGoesOnAtOnce) {
  const absl::Time mark = time_.Confirmed();
  clock_.Advance(absl::Minutes(5));
  TrustedTime restarted(clock_, mark);
  EXPECT_EQ(restarted.Confirmed(), clock_.Now());
}

// Nothing tells a long pause from a wrong clock but an hour in step.
TEST_F(TrustedTimeTest, ARestartAfterALongPauseCatchesUpAfterAnHourInStep) {
  const absl::Time mark = time_.Confirmed();
  clock_.Advance(absl::Hours(24 * 7));
  TrustedTime restarted(clock_, mark);
  EXPECT_EQ(restarted.ForVisibility(), clock_.Now());
  EXPECT_EQ(restarted.Confirmed(), mark);
  clock_.Advance(absl::Minutes(59));
  EXPECT_EQ(restarted.Confirmed(), mark + absl::Minutes(59));
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(restarted.Confirmed(), clock_.Now());
}

TEST_F(TrustedTimeTest, ARestartWithAClockSetBackKeepsTheMark) {
  PassInUse(absl::Hours(2));
  const absl::Time mark = time_.Confirmed();
  clock_.Jump(-absl::Hours(24));
  TrustedTime restarted(clock_, mark);
  EXPECT_EQ(restarted.ForVisibility(), mark);
  EXPECT_EQ(restarted.Confirmed(), mark);
}

}  // namespace
}  // namespace statecpp
