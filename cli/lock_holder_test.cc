// SPDX-License-Identifier: Apache-2.0
//
// Who holds a lock file, seen from outside.
#include "cli/lock_holder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/file_lock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::StartsWith;

using State = LockHolder::State;

class LockHolderTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) const { std::ofstream(file_) << text; }

  static std::string Host() {
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    return host;
  }

  const TempDir dir_;
  const std::string file_ = dir_.Path("LOCK");
};

TEST_F(LockHolderTest, NobodyWhereThereIsNoFile) {
  EXPECT_EQ(LookAtLock(file_).state, State::kAbsent);
  // Nor is there one afterwards.
  EXPECT_NE(access(file_.c_str(), F_OK), 0);
}

TEST_F(LockHolderTest, WhoHoldsItIsNamed) {
  absl::StatusOr<FileLock> lock =
      FileLock::Acquire(file_, absl::ZeroDuration());
  ASSERT_THAT(lock, IsOk());
  const LockHolder holder = LookAtLock(file_);
  EXPECT_EQ(holder.state, State::kHeld);
  EXPECT_THAT(holder.text,
              StartsWith(absl::StrCat("pid ", getpid(), " on ", Host())));
  EXPECT_EQ(holder.pid, getpid());
  EXPECT_TRUE(holder.pid_runs);
}

TEST_F(LockHolderTest, WhoHeldItIsNamedAndHoldsItNoMore) {
  ASSERT_THAT(FileLock::Acquire(file_, absl::ZeroDuration()), IsOk());
  EXPECT_EQ(LookAtLock(file_).state, State::kFree);
  EXPECT_EQ(LookAtLock(file_).pid, getpid());
  // It is not to be ended: what it runs now is something else.
  EXPECT_FALSE(LookAtLock(file_).pid_runs);
  EXPECT_EQ(CommandToEnd(LookAtLock(file_), "nothing"), "nothing");
}

// Whoever may write the file could have root end any process.
TEST_F(LockHolderTest, TheKernelSaysWhoHoldsItAndNotTheFile) {
  Write(absl::StrCat("pid ", getppid(), " on ", Host(), " since then"));
  const int fd = open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(flock(fd, LOCK_EX), 0);
  const LockHolder holder = LookAtLock(file_);
  EXPECT_EQ(holder.state, State::kHeld);
  EXPECT_EQ(holder.pid, getpid());
  EXPECT_EQ(holder.command, "lock_holder_test");
  EXPECT_EQ(CommandToEnd(holder, ""), absl::StrCat("kill ", getpid()));
  close(fd);
}

TEST_F(LockHolderTest, WhoSharesItDoesNotHoldIt) {
  Write("");
  const int fd = open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(flock(fd, LOCK_SH), 0);
  EXPECT_EQ(LookAtLock(file_).state, State::kFree);
  close(fd);
}

TEST_F(LockHolderTest, AServerIsEndedAndAVerbIsWaitedFor) {
  LockHolder holder = {.state = State::kHeld,
                       .pid = 12,
                       .pid_runs = true,
                       .command = "statecpp serve"};
  EXPECT_EQ(CommandToEnd(holder, ""), "kill 12");
  holder.command = "statecpp restore";
  EXPECT_EQ(CommandToEnd(holder, ""), "wait for it: ps -fp 12");
}

TEST_F(LockHolderTest, LookingLeavesItToOthers) {
  Write("pid 1 on elsewhere");
  EXPECT_EQ(LookAtLock(file_).state, State::kFree);
  EXPECT_THAT(FileLock::Acquire(file_, absl::ZeroDuration()), IsOk());
}

TEST_F(LockHolderTest, AProcessOfAnotherHostIsNotLookedForHere) {
  Write(absl::StrCat("pid ", getpid(), " on ", Host(), "-not since then"));
  EXPECT_EQ(LookAtLock(file_).pid, 0);
  EXPECT_FALSE(LookAtLock(file_).pid_runs);
}

TEST_F(LockHolderTest, AProcessThatIsGoneDoesNotRun) {
  // More than any kernel gives out (PID_MAX_LIMIT).
  Write(absl::StrCat("pid 99999999 on ", Host()));
  EXPECT_EQ(LookAtLock(file_).pid, 99999999);
  EXPECT_FALSE(LookAtLock(file_).pid_runs);
}

TEST_F(LockHolderTest, GarbageNamesNobody) {
  for (const char* text : {"", "pid", "pid x on y", "pid -1 on \n", "\xff"}) {
    Write(text);
    EXPECT_EQ(LookAtLock(file_).state, State::kFree) << text;
    EXPECT_FALSE(LookAtLock(file_).pid_runs) << text;
  }
}

TEST_F(LockHolderTest, AnythingElseIsNotKnown) {
  ASSERT_EQ(symlink("/nowhere", file_.c_str()), 0);
  EXPECT_EQ(LookAtLock(file_).state, State::kUnknown);
  EXPECT_EQ(LookAtLock(file_).error_number, ELOOP);
}

TEST_F(LockHolderTest, APipeIsNotWaitedFor) {
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  EXPECT_EQ(LookAtLock(file_).state, State::kUnknown);
  EXPECT_EQ(LookAtLock(file_).error_number, 0);
}

}  // namespace
}  // namespace statecpp
