// SPDX-License-Identifier: Apache-2.0
//
// From the command to the first answer, and what may stand in the way.
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr int kUsage = 2;
constexpr int kLockHeld = 73;

#define SKIP_UNLESS_NOBODY_CAN_BE()                                       \
  if (!CanBecomeNobody())                                                 \
  GTEST_SKIP() << "needs root outside of Bazel's sandbox, to become uid " \
               << kNobody

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

std::string HostName() {
  char name[256] = "";
  gethostname(name, sizeof(name) - 1);
  return name;
}

class StartupTest : public ServedStoreTest {};

TEST_F(StartupTest, SaysOnceItIsReadyOnWhichSocket) {
  Serve();
  EXPECT_THAT(
      server().err(),
      HasSubstr("level=info msg=\"ready: state.cpp on " + socket_path()));
  EXPECT_THAT(server().err(), HasSubstr("dataRoot=\"" + data_root() + "\""));
  EXPECT_EQ(server().out(), "");
  EXPECT_THAT(Client(socket_path()).Ping(), Succeeds());
}

// Waits until a file of that name is in the folder.
class AwaitedFile {
 public:
  explicit AwaitedFile(const std::string& folder) {
    EXPECT_GE(inotify_add_watch(fd_, folder.c_str(), IN_CREATE | IN_MOVED_TO),
              0);
  }
  ~AwaitedFile() { close(fd_); }

  void Await(const std::string& name) {
    for (;;) {
      alignas(inotify_event) char buffer[4096];
      const ssize_t size = read(fd_, buffer, sizeof(buffer));
      ASSERT_GT(size, 0);
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<inotify_event*>(buffer + at);
        if (event->len > 0 && name == event->name) return;
        at += static_cast<ssize_t>(sizeof(*event)) + event->len;
      }
    }
  }

 private:
  const int fd_ = inotify_init1(IN_CLOEXEC);
};

// daprd looks once, and waits without a deadline for whatever it finds.
TEST_F(StartupTest, WhoeverSeesTheSocketIsAnswered) {
  fs::create_directory(socket_folder());
  for (int i = 0; i < 5; ++i) {
    AwaitedFile socket(socket_folder());
    Program program(ServeOptions());
    socket.Await("cpp.sock");
    EXPECT_THAT(Client(socket_path()).Ping(), Succeeds());
    program.Signal(SIGTERM);
    EXPECT_EQ(program.Wait(), 0);
    EXPECT_FALSE(fs::exists(socket_path()));
  }
}

TEST_F(StartupTest, AKilledServersSocketIsReplaced) {
  Serve();
  Kill();
  ASSERT_TRUE(fs::is_socket(socket_path()));
  Serve();
  EXPECT_THAT(Client(socket_path()).Ping(), Succeeds());
}

// --- Another server.

TEST_F(StartupTest, ASecondServerOnADataRootNamesTheFirst) {
  Serve();
  ProgramOptions options = ServeOptions();
  options.arguments[4] = dir_.Path("other-sockets");
  const Outcome second = RunToEnd(options);
  EXPECT_EQ(second.exit_code, kLockHeld);
  EXPECT_THAT(
      second.err,
      AllOf(HasSubstr(data_root() + "/LOCK"),
            HasSubstr(absl::StrCat("pid ", server().pid(), " on ", HostName())),
            HasSubstr("nothing was opened")));
  EXPECT_FALSE(fs::exists(dir_.Path("other-sockets")));
  EXPECT_THAT(Client(socket_path()).Ping(), Succeeds());
}

TEST_F(StartupTest, ASecondServerOnASocketFolderNamesTheFirst) {
  Serve();
  const Outcome second =
      RunToEnd({.arguments = {"serve", "--data-root", dir_.Path("other-data"),
                              "--socket-folder", socket_folder()}});
  EXPECT_EQ(second.exit_code, kLockHeld);
  EXPECT_THAT(
      second.err,
      AllOf(HasSubstr(socket_folder()),
            HasSubstr(absl::StrCat("pid ", server().pid(), " on ", HostName())),
            HasSubstr("another --socket-folder")));
  EXPECT_THAT(Client(socket_path()).Ping(), Succeeds());
}

TEST_F(StartupTest, WaitsForTheLockAndThenServes) {
  Serve();
  Client first(socket_path());
  first.MustInit();
  ASSERT_THAT(first.SetKey("a", "1"), Succeeds());
  Program second(ServeOptions({"--wait-lock", "1m"}));
  ASSERT_TRUE(second.AwaitLog("waiting"));

  server().Signal(SIGTERM);
  ASSERT_EQ(server().Wait(), 0);
  ASSERT_TRUE(second.AwaitLog("ready: "));
  EXPECT_EQ(Client(socket_path()).ValueOf("a"), "1");
}

TEST_F(StartupTest, WaitsForTheLockAsLongAsItWasTold) {
  Serve();
  const absl::Time start = absl::Now();
  const Outcome second = RunToEnd(ServeOptions({"--wait-lock", "300ms"}));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(300));
  EXPECT_EQ(second.exit_code, kLockHeld);
  EXPECT_THAT(second.err, HasSubstr("waited 300ms"));
}

TEST_F(StartupTest, MayBeStoppedWhileItWaitsForTheLock) {
  Serve();
  Program second(ServeOptions({"--wait-lock", "1h"}));
  ASSERT_TRUE(second.AwaitLog("waiting"));
  second.Signal(SIGTERM);
  EXPECT_EQ(second.Wait(), 0);
  EXPECT_THAT(Client(socket_path()).Ping(), Succeeds());
}

// --- The data root.

class DataRootTest : public ServedStoreTest {
 protected:
  Outcome RunOn(const std::string& root) {
    ProgramOptions options = ServeOptions();
    options.arguments[2] = root;
    return RunToEnd(options);
  }
};

TEST_F(DataRootTest, AllInItIsItsOwnersAlone) {
  const mode_t before = umask(0);
  Serve();
  umask(before);
  Client client(socket_path());
  client.MustInit();
  ASSERT_THAT(client.SetKey("a", "1"), Succeeds());
  EXPECT_EQ(ModeOf(data_root()), 0700);
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(data_root())) {
    const std::string path = entry.path();
    EXPECT_EQ(ModeOf(path), entry.is_directory() ? 0700 : 0600) << path;
    files += entry.is_regular_file();
  }
  EXPECT_GE(files, 5) << "LOCK, an instance, and a store's three";
}

TEST_F(DataRootTest, AFileIsRefused) {
  std::ofstream(data_root()) << "precious";
  const Outcome outcome = RunOn(data_root());
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr(data_root() + " is not a folder"));
  EXPECT_EQ(fs::file_size(data_root()), 8u);
  EXPECT_FALSE(fs::exists(socket_folder()));
}

TEST_F(DataRootTest, AFolderBelowAFileIsRefused) {
  std::ofstream(data_root()) << "precious";
  const Outcome outcome = RunOn(data_root() + "/below");
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr(data_root()));
}

TEST_F(DataRootTest, AFolderWithoutAParentIsRefused) {
  const Outcome outcome = RunOn(dir_.Path("absent/data"));
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr(dir_.Path("absent/data")));
  EXPECT_FALSE(fs::exists(dir_.Path("absent")));
}

TEST_F(DataRootTest, AFolderThatMayNotBeWrittenIsRefused) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  GiveKeyTo(kNobody);
  ProgramOptions options = ServeOptions();
  options.uid = kNobody;
  const Outcome absent = RunToEnd(options);
  EXPECT_EQ(absent.exit_code, kUsage);
  EXPECT_THAT(absent.err,
              AllOf(HasSubstr(data_root()), HasSubstr("Permission denied")));

  fs::create_directory(data_root());
  const Outcome foreign = RunToEnd(options);
  EXPECT_EQ(foreign.exit_code, kUsage);
  EXPECT_THAT(foreign.err, AllOf(HasSubstr(data_root() + "/LOCK"),
                                 HasSubstr("Permission denied")));
}

class NetworkFolderTest : public DataRootTest {
 protected:
  ProgramOptions Disguised(const std::string& root,
                           std::vector<std::string> more = {}) {
    ProgramOptions options = ServeOptions(std::move(more));
    options.arguments[2] = root;
    options.environment = {
        "LD_PRELOAD=" + RunfilePath("tests/program/libnetwork_file_system.so"),
        "NETWORK_FOLDER=" + dir_.Path("network"),
        // Where the program is built with it, it wants to be loaded first.
        "ASAN_OPTIONS=verify_asan_link_order=0"};
    return options;
  }
};

TEST_F(NetworkFolderTest, IsRefusedAndLeftAsItWas) {
  fs::create_directory(dir_.Path("network"));
  for (const std::string& root :
       {dir_.Path("network"), dir_.Path("network/data"),
        dir_.Path("network/data/")}) {
    const Outcome outcome = RunToEnd(Disguised(root));
    EXPECT_EQ(outcome.exit_code, kUsage);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(dir_.Path("network")),
                                   HasSubstr("network file system (NFS)"),
                                   HasSubstr("use a local disk")));
    EXPECT_TRUE(fs::is_empty(dir_.Path("network"))) << root;
  }
  EXPECT_FALSE(fs::exists(socket_folder()));
}

TEST_F(NetworkFolderTest, ServesWhenTheUserInsists) {
  fs::create_directory(dir_.Path("network"));
  Program program(Disguised(dir_.Path("network/data"), {"--allow-network-fs"}));
  ASSERT_TRUE(program.AwaitLog("ready: "));
  Client client(socket_path());
  client.MustInit();
  EXPECT_THAT(client.SetKey("a", "1"), Succeeds());
}

// --- The socket.

class SocketFolderTest : public ServedStoreTest {
 protected:
  Outcome RunOn(const std::string& folder) {
    ProgramOptions options = ServeOptions();
    options.arguments[4] = folder;
    return RunToEnd(options);
  }
};

TEST_F(SocketFolderTest, WhatCannotBeOneIsAMatterOfConfiguration) {
  std::ofstream(dir_.Path("file")) << "precious";
  for (const std::string& folder :
       {dir_.Path("file"), dir_.Path("file/below"), dir_.Path("absent/sockets"),
        dir_.Path(std::string(120, 's'))}) {
    const Outcome outcome = RunOn(folder);
    EXPECT_EQ(outcome.exit_code, kUsage) << outcome.err;
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr(folder), HasSubstr("--socket-folder")));
  }
  EXPECT_EQ(fs::file_size(dir_.Path("file")), 8u);
}

TEST_F(SocketFolderTest, AFileInTheSocketsPlaceIsLeftAlone) {
  fs::create_directory(socket_folder());
  std::ofstream(socket_path()) << "precious";
  const Outcome outcome = RunOn(socket_folder());
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr(socket_path()), HasSubstr("a regular file")));
  EXPECT_EQ(fs::file_size(socket_path()), 8u);
}

TEST_F(SocketFolderTest, RootsSocketIsForEverybodyAndSaysSoOnce) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  Serve();
  EXPECT_EQ(ModeOf(socket_path()), 0666);
  EXPECT_TRUE(server().AwaitLog("level=warning", 1));
  EXPECT_THAT(server().err(),
              MatchesRegex("[^\n]*level=warning[^\n]*runs as root[^\n]*\n"
                           "[^\n]*level=info[^\n]*ready[^\n]*\n"));
}

TEST_F(SocketFolderTest, AnotherUsersSocketIsForItsGroup) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  ASSERT_EQ(chmod(dir_.path().c_str(), 0777), 0);
  GiveKeyTo(kNobody);
  ProgramOptions options = ServeOptions();
  options.uid = kNobody;
  Program program(options);
  ASSERT_TRUE(program.AwaitLog("ready: "));
  EXPECT_EQ(ModeOf(socket_path()), 0660);
  EXPECT_THAT(program.err(), Not(HasSubstr("level=warning")));
  Client client(socket_path());
  client.MustInit();
  EXPECT_THAT(client.SetKey("a", "1"), Succeeds());
}

TEST_F(SocketFolderTest, TheModeThatIsGivenCounts) {
  Serve({"--socket-mode", "0600"});
  EXPECT_EQ(ModeOf(socket_path()), 0600);
  EXPECT_THAT(server().err(), Not(HasSubstr("level=warning")));
}

}  // namespace
}  // namespace statecpp
