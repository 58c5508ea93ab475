// SPDX-License-Identifier: Apache-2.0
//
// The program as deploy/ wants a container to run it: as another user than
// root, where nothing but its two folders can be written, and with no more of
// the system's calls than deploy/seccomp.json allows.
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/call_filter.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<sock_filter> Profile() {
  return CallFilterOf(RunfilePath("deploy/seccomp.json"));
}

class ConfinementTest : public ServedStoreTest {
 protected:
  void SetUp() override {
    if (!CanBecomeNobody()) {
      GTEST_SKIP() << "needs root outside of Bazel's sandbox, to become uid "
                   << kNobody << " and to mount";
    }
    ASSERT_EQ(chown(dir_.path().c_str(), kNobody, kNobody), 0);
    GiveKeyTo(kNobody);
  }

  ProgramOptions Confined(ProgramOptions options) const {
    options.uid = kNobody;
    options.writable = {dir_.path()};
    options.call_filter = Profile();
    return options;
  }
  ProgramOptions ConfinedServe(std::vector<std::string> more = {}) const {
    return Confined(ServeOptions(std::move(more)));
  }
  // A verb on the data root, with the store's key where it has one.
  Outcome Run(std::vector<std::string> words, bool with_key = true) const {
    words.insert(words.end(), {"--data-root", data_root()});
    if (with_key && TestsAreSealed()) {
      words.insert(words.end(), {"--key-file", key_file()});
    }
    return RunToEnd(Confined({.arguments = std::move(words)}));
  }

  // What daprd, as the same user, would find.
  Outcome RunDoctor() const {
    return Run({"doctor", "--socket-folder", socket_folder(), "--daprd-uid",
                absl::StrCat(kNobody)});
  }
  std::string BackupPath(int number) const {
    return dir_.Path(absl::StrCat("backup", number));
  }

  void Stop(Program& server) {
    server.Signal(SIGTERM);
    EXPECT_EQ(server.Wait(), 0) << server.err();
  }

  // Each rpc that daprd makes.
  void UseAll(Client& client) {
    EXPECT_THAT(client.Ping(), Succeeds());
    EXPECT_THAT(client.Features(), Succeeds());
    EXPECT_THAT(client.SetKey("a", "1"), Succeeds());
    EXPECT_EQ(client.ValueOf("a"), "1");
    wire::SetRequest large;
    large.set_key("large");
    large.set_value(std::string(3 << 20, 'v'));
    EXPECT_THAT(client.Set(large), Succeeds());
    EXPECT_EQ(client.ValueOf("large"), large.value());
    EXPECT_THAT(client.BulkSet(Text(R"(items { key: "b" value: "{\"n\": 2}" }
                                       items { key: "c" value: "3" })")),
                Succeeds());
    EXPECT_THAT(client.BulkGet(Text(R"(items { key: "a" })")), Succeeds());
    EXPECT_THAT(client.Transact(Text(R"(
                    operations { set { key: "d" value: "4" } }
                    operations { delete { key: "c" } })")),
                Succeeds());
    EXPECT_EQ(client.ValueOf("c"), "(none)");
    EXPECT_THAT(client.Delete(Text(R"(key: "d")")), Succeeds());
    EXPECT_THAT(client.BulkDelete(Text(R"(items { key: "large" })")),
                Succeeds());
    const auto found = client.Query(Text(""));
    EXPECT_THAT(found, Succeeds());
    EXPECT_EQ(found.message.items_size(), 2);
  }
};

TEST_F(ConfinementTest, TheServerServesAndKeepsAll) {
  for (int round = 0; round < 2; ++round) {
    Program program(ConfinedServe());
    ASSERT_TRUE(program.AwaitLog("ready: "));
    Client client(socket_path());
    client.MustInit({{"cleanupInterval", "10ms"}});
    EXPECT_EQ(client.ValueOf("a"), round == 0 ? "(none)" : "1");
    UseAll(client);
    EXPECT_EQ(RunToEnd(Confined({.arguments = {"health", "--socket-folder",
                                               socket_folder()}}))
                  .exit_code,
              0);
    for (const std::vector<std::string>& verb :
         {std::vector<std::string>{"verify"},
          {"stat"},
          {"ls"},
          {"get", "a"},
          {"set", "e", "5"},
          {"delete", "e"},
          {"config"},
          {"keys", "status"},
          {"backup", BackupPath(round)}}) {
      EXPECT_THAT(Run(verb, /*with_key=*/false), Exits(0, HasSubstr("")))
          << verb[0];
    }
    EXPECT_THAT(RunDoctor(), Exits(0, HasSubstr("no faults")));
    Stop(program);
  }
}

TEST_F(ConfinementTest, TheServerMakesBackupsForAContainerBesideIt) {
  const std::string backups = dir_.Path("backups");
  ASSERT_EQ(mkdir(backups.c_str(), 0700), 0);
  ASSERT_EQ(chown(backups.c_str(), kNobody, kNobody), 0);
  Program server(ConfinedServe());
  ASSERT_TRUE(server.AwaitLog("ready: "));
  Client client(socket_path());
  client.MustInit();
  UseAll(client);
  Program beside(Confined(
      {.arguments = {"backup", "--data-root", data_root(), "--all", "--into",
                     backups, "--keep", "1", "--every", "1s"}}));
  ASSERT_TRUE(AwaitTrue([&] {
    return absl::StrContains(beside.out(), "removed 1 earlier backups");
  }));
  beside.Signal(SIGTERM);
  EXPECT_EQ(beside.Wait(), 0) << beside.err();
  Stop(server);
}

TEST_F(ConfinementTest, TheVerbsForAStoppedServersStoreWork) {
  {
    Program program(ConfinedServe());
    ASSERT_TRUE(program.AwaitLog("ready: "));
    Client client(socket_path());
    client.MustInit();
    UseAll(client);
    Stop(program);
  }
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"verify"},
        {"compact"},
        {"stat"},
        {"ls"},
        {"get", "a"},
        {"set", "e", "5"},
        {"delete", "e"},
        {"backup", BackupPath(0)}}) {
    EXPECT_THAT(Run(verb), Exits(0, HasSubstr(""))) << verb[0];
  }
  EXPECT_THAT(Run({"query", "{}"}), Exits(0, HasSubstr("a  1\n")));
  if (TestsAreSealed()) {
    EXPECT_THAT(Run({"keys", "rotate"}), Exits(0, HasSubstr("data key 2")));
  } else {
    EXPECT_THAT(
        RunToEnd(Confined({.arguments = {"encrypt", "--data-root", data_root(),
                                         "--key-file", key_file()}})),
        Exits(0, HasSubstr("")));
  }
  EXPECT_THAT(Run({"restore", BackupPath(0), "--store", "restored"}),
              Exits(0, HasSubstr("restored")));
}

class ConfinedKeysTest : public ConfinementTest {
 protected:
  // A file that the confined user can read.
  std::string GiveFile(const std::string& name, const std::string& text) {
    const std::string path = dir_.Path(name);
    std::ofstream(path, std::ios::binary) << text;
    EXPECT_EQ(chmod(path.c_str(), 0600), 0);
    EXPECT_EQ(chown(path.c_str(), kNobody, kNobody), 0);
    return path;
  }
  ProgramOptions ServeWith(const std::string& flag, const std::string& value) {
    return Confined(
        {.arguments = {"serve", "--data-root", data_root(), "--socket-folder",
                       socket_folder(), flag, value}});
  }
};

TEST_F(ConfinedKeysTest, AreRotatedUnderTheServer) {
  Program program(ServeWith("--key-file", key_file()));
  ASSERT_TRUE(program.AwaitLog("ready: "));
  Client client(socket_path());
  ASSERT_THAT(client.Init({}), Succeeds());
  ASSERT_THAT(client.SetKey("a", "1"), Succeeds());
  EXPECT_THAT(Run({"keys", "rotate"}, /*with_key=*/false),
              Exits(0, HasSubstr("sealed under data key 2")));
  EXPECT_EQ(client.ValueOf("a"), "1");
  Stop(program);
}

// A command is a child of ours, under the same profile.
TEST_F(ConfinedKeysTest, AreFetchedByACommand) {
  Program program(
      ServeWith("--key-command", absl::StrCat("/bin/cat ", key_file())));
  ASSERT_TRUE(program.AwaitLog("ready: "));
  Client client(socket_path());
  ASSERT_THAT(client.Init({}), Succeeds());
  EXPECT_THAT(client.SetKey("a", "1"), Succeeds());
  Stop(program);
}

TEST_F(ConfinedKeysTest, AreMadeOfAPassphrase) {
  Program program(ServeWith("--passphrase-file",
                            GiveFile("words", "correct horse battery staple")));
  ASSERT_TRUE(program.AwaitLog("ready: "));
  Client client(socket_path());
  ASSERT_THAT(client.Init({}), Succeeds());
  EXPECT_THAT(client.SetKey("a", "1"), Succeeds());
  Stop(program);
}

// --- What the confinement itself is worth.

std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(ConfinementTest, TheKernelKnowsOfIt) {
  Program program(ConfinedServe());
  ASSERT_TRUE(program.AwaitLog("ready: "));
  EXPECT_THAT(ReadFile(absl::StrCat("/proc/", program.pid(), "/status")),
              AllOf(HasSubstr("\nNoNewPrivs:\t1\n"), HasSubstr("\nSeccomp:\t2"),
                    HasSubstr("\nCapEff:\t0000000000000000\n"),
                    HasSubstr(absl::StrCat("\nUid:\t", kNobody, "\t"))));
}

TEST_F(ConfinementTest, AFolderThatIsNotGivenCannotBeWritten) {
  const TempDir other;
  ASSERT_EQ(chmod(other.path().c_str(), 0777), 0);
  ProgramOptions options = ConfinedServe();
  options.arguments[2] = other.Path("data");
  EXPECT_THAT(RunToEnd(options),
              Exits(2, AllOf(HasSubstr(other.Path("data")),
                             HasSubstr("Read-only file system"))));
}

// Runs a call in a child under the profile; its errno, or 0.
int ErrnoUnderTheProfile(const std::function<long()>& call) {
  const std::vector<sock_filter> filter = Profile();
  const sock_fprog program = {
      .len = static_cast<unsigned short>(filter.size()),
      .filter = const_cast<sock_filter*>(filter.data())};
  const pid_t child = fork();
  if (child == 0) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
      _exit(255);
    }
    _exit(call() < 0 ? errno : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(SeccompProfileTest, RefusesWhatTheProgramIsNotMadeFor) {
  const std::vector<std::pair<const char*, std::function<long()>>> calls = {
      {"ptrace", [] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
      {"mount", [] { return mount("none", "/", nullptr, MS_REC, nullptr); }},
      {"unshare", [] { return unshare(CLONE_NEWUSER); }},
      {"a child in a namespace of its own",
       [] { return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0); }},
      {"socket of IPv4", [] { return socket(AF_INET, SOCK_STREAM, 0); }},
      {"socket of IPv6", [] { return socket(AF_INET6, SOCK_DGRAM, 0); }},
      {"socket of packets", [] { return socket(AF_PACKET, SOCK_RAW, 0); }},
      {"process_vm_readv",
       [] { return syscall(SYS_process_vm_readv, 1, 0, 0, 0, 0, 0); }},
      {"bpf", [] { return syscall(SYS_bpf, 0, 0, 0); }},
      {"keyctl", [] { return syscall(SYS_keyctl, 0, 0); }},
      {"io_uring_setup", [] { return syscall(SYS_io_uring_setup, 1, 0); }},
      {"userfaultfd", [] { return syscall(SYS_userfaultfd, 0); }},
      {"perf_event_open",
       [] { return syscall(SYS_perf_event_open, 0, 0, -1, -1, 0); }},
      {"init_module", [] { return syscall(SYS_init_module, 0, 0, 0); }},
      {"clock_settime", [] { return syscall(SYS_clock_settime, 0, 0); }},
      {"what there is not", [] { return syscall(4000); }},
  };
  for (const auto& [name, call] : calls) {
    EXPECT_EQ(ErrnoUnderTheProfile(call), ENOSYS) << name;
  }
  EXPECT_EQ(
      ErrnoUnderTheProfile([] { return socket(AF_UNIX, SOCK_STREAM, 0); }), 0);
}

}  // namespace
}  // namespace statecpp
