// SPDX-License-Identifier: Apache-2.0
//
// What is said of a server and of a disk that no test could come by.
#include "cli/data_root_checks.h"

#include <cstdint>

#include "cli/finding.h"
#include "cli/lock_holder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr uint64_t kGibibyte = uint64_t{1} << 30;

Finding HeldBy(const LockHolder& holder) {
  const Findings findings = CheckServer({.path = "data", .lock = holder});
  EXPECT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].level, Finding::Level::kFault);
  EXPECT_EQ(findings[0].kind, "server");
  return findings[0];
}

TEST(CheckServerTest, AHolderThatTheKernelDoesNotShowIsNotEnded) {
  for (const pid_t named : {0, 12}) {
    const Finding held = HeldBy({.state = LockHolder::State::kHeld,
                                 .text = "pid 12 on there",
                                 .pid = named});
    EXPECT_THAT(held.text, HasSubstr("pid 12 on there"));
    EXPECT_EQ(held.fix, "fuser -v data/LOCK");
  }
}

TEST(CheckServerTest, ARestoreOnItsWayIsNotEnded) {
  const Finding held = HeldBy({.state = LockHolder::State::kHeld,
                               .pid = 12,
                               .pid_runs = true,
                               .command = "statecpp restore"});
  EXPECT_THAT(held.text, HasSubstr("pid 12 here, statecpp restore"));
  EXPECT_THAT(held.fix, HasSubstr("wait for it"));
}

TEST(CheckRoomTest, LittleIsAWarningWhateverTheStoresWant) {
  const Finding low = CheckRoom("data", kGibibyte - 1, 0);
  EXPECT_EQ(low.level, Finding::Level::kWarning);
  EXPECT_THAT(low.text, HasSubstr("only 1024.0 MiB left"));
  EXPECT_EQ(CheckRoom("data", kGibibyte, 0).level, Finding::Level::kOk);
}

TEST(CheckRoomTest, LessThanTheStoresAreToTakeIsAWarning) {
  EXPECT_EQ(CheckRoom("data", 2 * kGibibyte, 2 * kGibibyte).level,
            Finding::Level::kOk);
  EXPECT_EQ(CheckRoom("data", 2 * kGibibyte, 2 * kGibibyte + 1).level,
            Finding::Level::kWarning);
}

}  // namespace
}  // namespace statecpp
