// SPDX-License-Identifier: Apache-2.0
//
// What the kernel is asked for so that keys stay in memory: no core files, no
// look into the process from outside, no swap.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"
#include "tests/support/as_nobody.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int kUsage = 2;

#define SKIP_UNLESS_NOBODY_CAN_BE()                                       \
  if (!CanBecomeNobody())                                                 \
  GTEST_SKIP() << "needs root outside of Bazel's sandbox, to become uid " \
               << kNobody

std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string ProcFile(pid_t pid, absl::string_view name) {
  return absl::StrCat("/proc/", pid, "/", name);
}

// Whether a process that crashes leaves a file named core in its folder.
bool CoresAreFiles() {
  return absl::StartsWith(ReadFile("/proc/sys/kernel/core_pattern"), "core");
}

#define SKIP_UNLESS_CORES_ARE_FILES()                                    \
  if (!CoresAreFiles())                                                  \
  GTEST_SKIP() << "needs a /proc/sys/kernel/core_pattern that names no " \
                  "program and no other folder: "                        \
               << ReadFile("/proc/sys/kernel/core_pattern")

std::vector<std::string> CoresIn(const std::string& folder) {
  std::vector<std::string> cores;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (absl::StartsWith(name, "core")) cores.push_back(name);
  }
  return cores;
}

// Serves in a folder of the test's, where a core file would be.
class HardeningTest : public ServedStoreTest {
 protected:
  ProgramOptions Options(std::vector<std::string> more = {}) const {
    ProgramOptions options = ServeOptions(std::move(more));
    options.working_folder = dir_.path();
    options.limits = {{RLIMIT_CORE, RLIM_INFINITY}};
    return options;
  }

  ProgramOptions OptionsOfNobody(std::vector<std::string> more = {}) const {
    EXPECT_EQ(chmod(dir_.path().c_str(), 0777), 0);
    ProgramOptions options = Options(std::move(more));
    options.uid = kNobody;
    return options;
  }

  // What another process of the same user is told that opens such a file of
  // the server's.
  std::string OpenAsNobody(pid_t pid, absl::string_view name) {
    const std::string path = ProcFile(pid, name);
    return AsNobody([&path]() -> std::string {
             return open(path.c_str(), O_RDONLY) >= 0 ? "opened"
                                                      : strerror(errno);
           })
        .value_or("cannot become nobody");
  }
};

TEST_F(HardeningTest, TheLimitOfCoreFilesIsZero) {
  Program program(Options());
  ASSERT_TRUE(program.AwaitLog("ready: "));
  EXPECT_THAT(ReadFile(ProcFile(program.pid(), "limits")),
              ContainsRegex("Max core file size +0 +0 +bytes"));
}

TEST_F(HardeningTest, ForEveryVerb) {
  Program program({.arguments = {"health", "--wait", "1h", "--socket-folder",
                                 socket_folder()},
                   .limits = {{RLIMIT_CORE, RLIM_INFINITY}}});
  AwaitTrue([&] {
    return absl::StrContains(ReadFile(ProcFile(program.pid(), "limits")),
                             "Max core file size        0 ");
  });
}

TEST_F(HardeningTest, ACrashLeavesNoCoreFile) {
  SKIP_UNLESS_CORES_ARE_FILES();
  Program program(Options());
  ASSERT_TRUE(program.AwaitLog("ready: "));
  program.Signal(SIGSEGV);
  EXPECT_EQ(program.Wait(), 128 + SIGSEGV);
  EXPECT_THAT(CoresIn(dir_.path()), IsEmpty());
}

TEST_F(HardeningTest, ACrashLeavesACoreFileWhereThatIsAllowed) {
  SKIP_UNLESS_CORES_ARE_FILES();
  Program program(Options({"--allow-core-dumps"}));
  ASSERT_TRUE(program.AwaitLog("ready: "));
  program.Signal(SIGSEGV);
  EXPECT_EQ(program.Wait(), 128 + SIGSEGV);
  EXPECT_THAT(CoresIn(dir_.path()), SizeIs(1));
}

TEST_F(HardeningTest, OtherProcessesOfTheUserCannotLookInside) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  Program program(OptionsOfNobody());
  ASSERT_TRUE(program.AwaitLog("ready: "));
  for (const char* name : {"mem", "environ", "maps", "fd"}) {
    EXPECT_EQ(OpenAsNobody(program.pid(), name), "Permission denied") << name;
  }
}

TEST_F(HardeningTest, WhereCoreDumpsAreAllowedSoIsALookInside) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  Program program(OptionsOfNobody({"--allow-core-dumps"}));
  ASSERT_TRUE(program.AwaitLog("ready: "));
  for (const char* name : {"environ", "maps", "fd"}) {
    EXPECT_EQ(OpenAsNobody(program.pid(), name), "opened") << name;
  }
}

// The program looks up its own descriptors in /proc, which such a process may.
TEST_F(HardeningTest, TheStoresDescriptorsAreStillKeptFromChildren) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  Program program(OptionsOfNobody());
  ASSERT_TRUE(program.AwaitLog("ready: "));
  Client client(socket_path());
  client.MustInit();
  EXPECT_THAT(client.SetKey("a", "1"), Succeeds());
  std::vector<int> flags;
  for (const auto& entry :
       fs::directory_iterator(ProcFile(program.pid(), "fd"))) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone);
    if (!absl::EndsWith(target, "/data.mdb")) continue;
    std::ifstream info(
        ProcFile(program.pid(), "fdinfo/" + entry.path().filename().string()));
    std::string word;
    int value = 0;
    while (info >> word) {
      if (word == "flags:") info >> std::oct >> value;
    }
    flags.push_back(value & O_CLOEXEC);
  }
  EXPECT_THAT(flags, AllOf(SizeIs(2), Each(O_CLOEXEC)));
}

class LockedMemoryTest : public HardeningTest {
 protected:
  // Root may lock whatever the limit is.
  ProgramOptions OptionsWithLimit(rlim_t bytes,
                                  std::vector<std::string> more = {}) const {
    ProgramOptions options = OptionsOfNobody(std::move(more));
    options.limits[RLIMIT_MEMLOCK] = bytes;
    return options;
  }
};

TEST_F(LockedMemoryTest, WithoutAnyTheServerStartsWithAWarning) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  Program program(OptionsWithLimit(0));
  ASSERT_TRUE(program.AwaitLog("ready: "));
  EXPECT_THAT(
      program.err(),
      ContainsRegex("level=warning msg=\"memory for keys cannot be locked .*"
                    "RLIMIT_MEMLOCK is 0 bytes, 262144 are wanted"));
  Client client(socket_path());
  client.MustInit();
  EXPECT_THAT(client.SetKey("a", "1"), Succeeds());
}

TEST_F(LockedMemoryTest, WithoutEnoughItStartsWithAWarning) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  Program program(OptionsWithLimit(64 << 10));
  ASSERT_TRUE(program.AwaitLog("ready: "));
  EXPECT_THAT(program.err(), HasSubstr("RLIMIT_MEMLOCK is 65536 bytes"));
}

TEST_F(LockedMemoryTest, WithoutAnyItDoesNotStartWhereItIsRequired) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  const Outcome outcome = RunToEnd(OptionsWithLimit(0, {"--require-mlock"}));
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("level=error"), HasSubstr("--require-mlock"),
                    HasSubstr("RLIMIT_MEMLOCK is 0 bytes")));
  EXPECT_FALSE(fs::exists(data_root()));
}

TEST_F(LockedMemoryTest, WithEnoughNothingIsSaid) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  Program program(OptionsWithLimit(1 << 20, {"--require-mlock"}));
  ASSERT_TRUE(program.AwaitLog("ready: "));
  EXPECT_THAT(program.err(), Not(HasSubstr("level=warning")));
}

}  // namespace
}  // namespace statecpp
