// SPDX-License-Identifier: Apache-2.0
//
// What is printed of long work, and how often.
#include "cli/progress.h"

#include <sstream>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"

namespace statecpp {
namespace {

using ::testing::IsEmpty;

class ProgressTest : public ::testing::Test {
 protected:
  Progress::Options Options(bool terminal) {
    return {.out = &out_, .terminal = terminal, .clock = &clock_};
  }

  // What was printed since the last call.
  std::string Printed() {
    std::string text = out_.str();
    out_.str("");
    return text;
  }

  FakeClock clock_;
  std::ostringstream out_;
};

TEST_F(ProgressTest, ALineOnATerminalIsWrittenAnewAFewTimesASecond) {
  Progress progress("copying", Options(/*terminal=*/true));
  progress.Report(0, 1000);
  EXPECT_EQ(Printed(), "\rcopying: 0 of 1000 records (0%)");
  clock_.Advance(absl::Milliseconds(100));
  progress.Report(50, 1000);
  EXPECT_THAT(Printed(), IsEmpty());
  clock_.Advance(absl::Milliseconds(100));
  progress.Report(100, 1000);
  EXPECT_EQ(Printed(), "\rcopying: 100 of 1000 records (10%), 500/s, 2s left");
  clock_.Advance(absl::Milliseconds(1800));
  progress.Report(1000, 1000);
  // Nothing of the longer line before it stays.
  EXPECT_EQ(Printed(), "\rcopying: 1000 of 1000 records (100%), 500/s       ");
  progress.End();
  EXPECT_EQ(Printed(),
            "\rcopying: 1000 of 1000 records (100%), 500/s, took 2s\n");
}

TEST_F(ProgressTest, ALogGetsALineEveryFewSecondsAndOneAtTheEnd) {
  Progress progress("copying", Options(/*terminal=*/false));
  progress.Report(0, 1000);
  clock_.Advance(absl::Milliseconds(4900));
  progress.Report(98, 1000);
  EXPECT_THAT(Printed(), IsEmpty());
  clock_.Advance(absl::Milliseconds(100));
  progress.Report(100, 1000);
  EXPECT_EQ(Printed(), "copying: 100 of 1000 records (10%), 20/s, 45s left\n");
  clock_.Advance(absl::Seconds(1));
  progress.Report(120, 1000);
  EXPECT_THAT(Printed(), IsEmpty());
  clock_.Advance(absl::Seconds(44));
  progress.Report(1000, 1000);
  EXPECT_EQ(Printed(), "copying: 1000 of 1000 records (100%), 20/s\n");
  progress.End();
  EXPECT_EQ(Printed(),
            "copying: 1000 of 1000 records (100%), 20/s, took 50s\n");
}

TEST_F(ProgressTest, WorkThatStartsInTheMiddleIsNotFasterForThat) {
  Progress progress("re-sealing", Options(/*terminal=*/false));
  progress.Report(900, 1000);
  clock_.Advance(absl::Seconds(10));
  progress.Report(950, 1000);
  EXPECT_EQ(Printed(),
            "re-sealing: 950 of 1000 records (95%), 5/s, 10s left\n");
}

TEST_F(ProgressTest, ATotalThatIsNotKnownIsLeftOut) {
  Progress::Options options = Options(/*terminal=*/false);
  options.unit = "pages";
  Progress progress("looking", options);
  progress.Report(0, std::nullopt);
  clock_.Advance(absl::Seconds(5));
  progress.Report(100, std::nullopt);
  EXPECT_EQ(Printed(), "looking: 100 pages, 20/s\n");
}

TEST_F(ProgressTest, NothingToDoIsDone) {
  Progress progress("copying", Options(/*terminal=*/false));
  progress.Report(0, 0);
  progress.End();
  EXPECT_EQ(Printed(), "copying: 0 of 0 records (100%), took 0\n");
}

TEST_F(ProgressTest, WorkThatFailedLeavesTheTerminalOnALineOfItsOwn) {
  {
    Progress progress("copying", Options(/*terminal=*/true));
    progress.Report(1, 10);
    Printed();
  }
  EXPECT_EQ(Printed(), "\n");
  {
    Progress progress("copying", Options(/*terminal=*/false));
    progress.Report(1, 10);
  }
  EXPECT_THAT(Printed(), IsEmpty());
  { Progress progress("copying", Options(/*terminal=*/true)); }
  EXPECT_THAT(Printed(), IsEmpty());
}

TEST_F(ProgressTest, ALineThatIsHiddenLeavesRoomForOthers) {
  Progress progress("copying", Options(/*terminal=*/true));
  progress.Hide();
  progress.Report(1, 9);
  EXPECT_EQ(Printed(), "\rcopying: 1 of 9 records (11%)");
  progress.Hide();
  EXPECT_EQ(Printed(), "\r                             \r");
  progress.Hide();
  EXPECT_THAT(Printed(), IsEmpty());
  clock_.Advance(absl::Seconds(1));
  progress.Report(1, 9);
  EXPECT_EQ(Printed(), "\rcopying: 1 of 9 records (11%)");
}

TEST_F(ProgressTest, AHiddenLineOfALogIsNone) {
  Progress progress("copying", Options(/*terminal=*/false));
  progress.Report(0, 9);
  clock_.Advance(absl::Seconds(10));
  progress.Report(1, 9);
  Printed();
  progress.Hide();
  EXPECT_THAT(Printed(), IsEmpty());
}

TEST_F(ProgressTest, ShortWorkTookTenthsOfASecond) {
  Progress progress("copying", Options(/*terminal=*/false));
  progress.Report(0, 3);
  clock_.Advance(absl::Milliseconds(230));
  progress.Report(3, 3);
  progress.End();
  EXPECT_EQ(Printed(), "copying: 3 of 3 records (100%), 14/s, took 300ms\n");
}

TEST_F(ProgressTest, QuietIsQuiet) {
  Progress::Options options = Options(/*terminal=*/true);
  options.quiet = true;
  {
    Progress progress("copying", options);
    progress.Report(1, 10);
    clock_.Advance(absl::Minutes(1));
    progress.Report(2, 10);
    progress.End();
  }
  EXPECT_THAT(Printed(), IsEmpty());
}

}  // namespace
}  // namespace statecpp
