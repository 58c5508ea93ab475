// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_command.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kDenied = absl::StatusCode::kPermissionDenied;

// Long for a shell to start and to end, short for a test that waits for it.
constexpr absl::Duration kShort = absl::Seconds(1);
constexpr absl::Duration kPatience = absl::Seconds(30);

class KeyCommandTest : public ::testing::Test {
 protected:
  // Whatever a command did, it leaves no zombie behind.
  void TearDown() override {
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  }

  static absl::StatusOr<SecretBytes> Shell(const std::string& script,
                                           absl::Duration timeout = kPatience) {
    return RunKeyCommand({"/bin/sh", "-c", script}, timeout);
  }

  static std::string Output(const absl::StatusOr<SecretBytes>& output) {
    if (!output.ok()) return output.status().ToString();
    return std::string(output->RevealText());
  }

  // The number that a script wrote to a file.
  pid_t PidIn(const std::string& name) const {
    std::ifstream file(dir_.Path(name));
    pid_t pid = 0;
    file >> pid;
    return pid;
  }

  // A process that was not our child is reaped by another, in its own time.
  static bool IsGone(pid_t pid) {
    for (const absl::Time end = absl::Now() + kPatience; absl::Now() < end;
         absl::SleepFor(absl::Milliseconds(5))) {
      std::ifstream stat(absl::StrCat("/proc/", pid, "/stat"));
      std::string word;
      stat >> word >> word >> word;
      if (!stat || word == "Z") return true;
    }
    return false;
  }

  TempDir dir_;
};

TEST_F(KeyCommandTest, ReturnsWhatIsPrintedAsItIs) {
  EXPECT_EQ(Output(RunKeyCommand({"/bin/echo", "a  b", "$HOME", "*"})),
            "a  b $HOME *\n");
  EXPECT_EQ(Output(Shell("printf 'a\\000b'; sleep 0.05; printf c")),
            std::string("a\0bc", 4));
}

TEST_F(KeyCommandTest, AProgramIsFoundInPath) {
  EXPECT_EQ(Output(RunKeyCommand({"echo", "a"})), "a\n");
}

TEST_F(KeyCommandTest, ExitingWithAnotherCodeIsAnError) {
  EXPECT_THAT(Shell("echo s3cret; exit 1"),
              StatusIs(kDenied, AllOf(HasSubstr("key command /bin/sh"),
                                      HasSubstr("exited with 1"),
                                      Not(HasSubstr("s3cret")))));
}

TEST_F(KeyCommandTest, EndingByASignalIsAnError) {
  EXPECT_THAT(Shell("echo s3cret; kill -TERM $$"),
              StatusIs(kDenied, AllOf(HasSubstr("signal 15"),
                                      Not(HasSubstr("s3cret")))));
}

TEST_F(KeyCommandTest, PrintingNothingIsAnError) {
  EXPECT_THAT(Shell("echo s3cret >&2"),
              StatusIs(kDenied, HasSubstr("printed nothing")));
}

TEST_F(KeyCommandTest, PrintingTooMuchIsAnErrorAndNothingWaitsForIt) {
  EXPECT_EQ(Output(Shell("head -c 4096 /dev/zero")).size(), 4096u);
  EXPECT_THAT(Shell("head -c 4097 /dev/zero"),
              StatusIs(kDenied, HasSubstr("more than 4096 bytes")));
  EXPECT_THAT(Shell("yes s3cret | head -c 1000000; sleep 1000"),
              StatusIs(kDenied, AllOf(HasSubstr("more than 4096 bytes"),
                                      Not(HasSubstr("s3cret")))));
  EXPECT_THAT(Shell("yes"), HasCode(kDenied));
}

TEST_F(KeyCommandTest, WhatCannotBeRunIsAnErrorOfItsOwn) {
  EXPECT_THAT(RunKeyCommand({dir_.Path("none")}),
              StatusIs(kDenied, AllOf(HasSubstr("could not run key command"),
                                      HasSubstr("No such file"))));
  std::ofstream(dir_.Path("plain")) << "#!/bin/sh\necho a\n";
  EXPECT_THAT(RunKeyCommand({dir_.Path("plain")}),
              StatusIs(kDenied, AllOf(HasSubstr("could not run"),
                                      HasSubstr("Permission denied"))));
  // A script without #! is for a shell, and there is none.
  std::ofstream(dir_.Path("script")) << "echo a\n";
  ASSERT_EQ(chmod(dir_.Path("script").c_str(), 0700), 0);
  EXPECT_THAT(RunKeyCommand({dir_.Path("script")}),
              StatusIs(kDenied, HasSubstr("could not run")));
  EXPECT_THAT(RunKeyCommand({}), HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(RunKeyCommand({""}), HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(KeyCommandTest, TakingTooLongIsAnErrorAndEndsTheCommand) {
  EXPECT_THAT(Shell("echo $$ > " + dir_.Path("pid") + "; sleep 1000", kShort),
              StatusIs(kDenied,
                       AllOf(HasSubstr("within 1s"), HasSubstr("was killed"))));
  const pid_t pid = PidIn("pid");
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(IsGone(pid));
}

TEST_F(KeyCommandTest, WhatItStartedEndsWithIt) {
  EXPECT_THAT(
      Shell("sleep 1000 & echo $! > " + dir_.Path("pid") + "; wait", kShort),
      StatusIs(kDenied, HasSubstr("within 1s")));
  const pid_t pid = PidIn("pid");
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(IsGone(pid));
}

TEST_F(KeyCommandTest, AChildThatKeepsTheOutputOpenIsWaitedForInVain) {
  EXPECT_THAT(
      Shell("echo a; sleep 1000 & echo $! > " + dir_.Path("pid"), kShort),
      StatusIs(kDenied, HasSubstr("did not close its output")));
  EXPECT_TRUE(IsGone(PidIn("pid")));
}

TEST_F(KeyCommandTest, ClosingTheOutputIsNotTheEnd) {
  EXPECT_THAT(Shell("echo a; exec >&-; exit 3"),
              StatusIs(kDenied, HasSubstr("exited with 3")));
  EXPECT_THAT(Shell("echo a; exec >&-; sleep 1000", kShort),
              StatusIs(kDenied, HasSubstr("within 1s")));
}

TEST_F(KeyCommandTest, StandardErrorIsOurs) {
  testing::internal::CaptureStderr();
  const absl::StatusOr<SecretBytes> output =
      Shell("echo 'the vault is locked' >&2; exit 1");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "the vault is locked\n");
  EXPECT_THAT(output, StatusIs(kDenied, Not(HasSubstr("vault"))));
}

TEST_F(KeyCommandTest, StandardInputIsEmpty) {
  EXPECT_EQ(Output(Shell("cat; echo end")), "end\n");
}

TEST_F(KeyCommandTest, OurDescriptorsAreNotTheirs) {
  const int fd = open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GT(fd, 2);
  EXPECT_EQ(Output(Shell(absl::StrCat("test -e /proc/self/fd/", fd,
                                      " && echo open || echo closed"))),
            "closed\n");
  close(fd);
}

// The program blocks the signals that end it, and ignores SIGPIPE.
TEST_F(KeyCommandTest, SignalsAreAsUsual) {
  sigset_t end;
  sigset_t before;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigaddset(&end, SIGINT);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &end, &before), 0);
  const auto pipe_before = signal(SIGPIPE, SIG_IGN);
  // Not by way of a shell, which clears the mask.
  const auto line_of = [](const std::string& name) {
    return Output(RunKeyCommand(
        {"sed", "-n", "s/^" + name + ":\t//p", "/proc/self/status"}));
  };
  const std::string blocked = line_of("SigBlk");
  const std::string ignored = line_of("SigIgn");
  signal(SIGPIPE, pipe_before);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(blocked, "0000000000000000\n");
  uint64_t bits = 0;
  ASSERT_TRUE(absl::SimpleHexAtoi(ignored, &bits)) << ignored;
  for (const int each : {SIGPIPE, SIGTERM, SIGINT}) {
    EXPECT_EQ(bits >> (each - 1) & 1, 0u) << each;
  }
}

TEST(DescribeKeyCommandTest, LeavesTheArgumentsOut) {
  EXPECT_EQ(DescribeKeyCommand({"/bin/get-key", "--token=s3cret"}),
            "key command /bin/get-key");
}

}  // namespace
}  // namespace statecpp
