// SPDX-License-Identifier: Apache-2.0
//
// `statecpp doctor` on our side: the data root, its server and its stores. Each
// test provokes one finding.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/doctored_store.h"
#include "tests/program/held_store.h"
#include "tests/program/program.h"
#include "tests/support/memory_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::ContainerEq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class DoctorTest : public DoctoredStoreTest {
 protected:
  // A store of ten items, 1 MB in all, which nobody serves.
  void MakeLargeStore() { MakeStore(10, 100000); }

  static void SetAge(const std::string& path, absl::Duration age) {
    const timespec then = absl::ToTimespec(absl::Now() - age);
    const timespec times[] = {then, then};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  // Makes the page of the names of LMDB's tables a branch that leads to one
  // page, which LMDB never writes (engine/lmdb_page.h).
  void BreakTables() const {
    std::fstream file(store() + "/data.mdb",
                      std::ios::in | std::ios::out | std::ios::binary);
    const auto number_at = [&file](uint64_t offset) {
      uint64_t number = 0;
      file.seekg(static_cast<std::streamoff>(offset));
      file.read(reinterpret_cast<char*>(&number), sizeof(number));
      return number;
    };
    const uint64_t page_size = static_cast<uint32_t>(number_at(40));
    const bool odd = number_at(page_size + 144) > number_at(144);
    const uint64_t root = number_at((odd ? page_size : 0) + 128);
    const uint16_t flags_and_lower[] = {1, 18};
    file.seekp(static_cast<std::streamoff>(root * page_size + 10));
    file.write(reinterpret_cast<const char*>(flags_and_lower),
               sizeof(flags_and_lower));
  }

  std::string WriteYaml(const std::string& fields = "") const {
    return Write("store.yaml", Yaml(fields));
  }
};

// --- All of it.

TEST_F(DoctorTest, WhereNothingIsWrongTheExitCodeIsZero) {
  Serve();
  Client client(socket_path());
  client.MustInit({{"maxSize", "64Mi"}});
  ASSERT_THAT(client.SetKey("canary-key", "canary-value"), Succeeds());
  const Outcome outcome =
      Doctor({"--component", WriteYaml("  - {name: maxSize, value: 64Mi}\n")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
  EXPECT_THAT(outcome, Finds("ok", "server", "its server answers", ""));
  EXPECT_THAT(outcome, Finds("ok", "store", "1 items", ""));
  EXPECT_THAT(outcome, Finds("ok", "disk", " left", ""));
  EXPECT_THAT(outcome.out, HasSubstr("\"faults\":0}"));
  // Nothing was opened beside the server, and nothing was shown.
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("opened 1 times"), Not(HasSubstr("canary"))));
}

TEST_F(DoctorTest, AStoreThatNobodyServesIsLookedAtAndNotChanged) {
  MakeStore(1);
  const std::string before = Data();
  const Outcome outcome = Doctor();
  EXPECT_THAT(
      outcome,
      Finds("ok", "store",
            TestsAreSealed() ? "sealed, the key opens it" : "not sealed", ""));
  EXPECT_THAT(outcome, Finds("ok", "server", "no server runs on it", ""));
  EXPECT_TRUE(Data() == before);
}

// As a store is copied into place, and as a crash leaves a former one.
TEST_F(DoctorTest, NothingInTheDataRootIsOtherThanBefore) {
  MakeStore(1);
  fs::copy(store(), stores() + "/.new-former", fs::copy_options::recursive);
  SetAge(stores() + "/.new-former/LOCK", absl::Hours(1));
  SetAge(stores() + "/.new-former", absl::Hours(1));
  for (const bool copied : {false, true}) {
    if (copied) {
      for (const std::string& folder : {data_root(), store()}) {
        ASSERT_TRUE(fs::remove(folder + "/LOCK"));
      }
      ASSERT_TRUE(fs::remove(store() + "/lock.mdb"));
    }
    const std::vector<std::string> before = Inventory();
    const Outcome outcome = Doctor();
    EXPECT_THAT(outcome, Finds("ok", "store", "\"orders\"", ""));
    EXPECT_THAT(Inventory(), ContainerEq(before)) << outcome.out;
  }
}

TEST_F(DoctorTest, TextHasTheSameFindingsAndTheirFix) {
  const Outcome outcome =
      RunToEnd(VerbOptions("doctor", {"--socket-folder", socket_folder()}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("daprd's side: sockets\n  FAULT    " +
                              socket_folder() + ": there is no such folder"),
                    HasSubstr("           fix: statecpp serve --data-root " +
                              data_root()),
                    HasSubstr("2 faults, 1 warning\n")));
}

TEST_F(DoctorTest, WithoutADataRootNoStoreIsLookedAt) {
  const Outcome outcome = RunToEnd({.arguments = {"doctor", "--json"}});
  EXPECT_THAT(outcome, Finds("warning", "data-root", "none was named",
                             "--data-root DIR"));
}

// What LMDB finds broken ends the process, and what was found before is said.
TEST_F(DoctorTest, AStoreThatEndsTheProcessTakesNoFindingsWithIt) {
  MakeStore(1);
  BreakTables();
  const Outcome outcome = RunToEnd(VerbOptionsWithKey("doctor"));
  EXPECT_EQ(outcome.exit_code, 70) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("LMDB found its own structures broken"));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("daprd's side: sockets\n"),
                                 HasSubstr("our side: data root\n  ok "),
                                 Not(HasSubstr("our side: stores"))));
}

TEST_F(DoctorTest, NothingThatSomebodyLeftIsWaitedFor) {
  MakeStore(1);
  Write("store.yaml", Yaml());
  for (const std::string& file :
       {dir_.Path("components/pipe.yaml"), data_root() + "/LOCK",
        data_root() + "/instances/pipe.json", store() + "/LOCK"}) {
    fs::remove(file);
    ASSERT_EQ(mkfifo(file.c_str(), 0600), 0) << file;
  }
  const Outcome outcome = Doctor({"--resources-path", dir_.Path("components")});
  EXPECT_THAT(outcome, Finds("fault", "component-yaml", "no file", ""));
  EXPECT_THAT(outcome, Finds("fault", "server", "not a regular file",
                             "rm " + data_root() + "/LOCK"));
  EXPECT_THAT(outcome,
              Finds("fault", "store-unreadable", "not a regular file", "LOCK"));
}

// --- The data root.

TEST_F(DoctorTest, ADataRootThatIsNotThere) {
  EXPECT_THAT(Doctor(), Finds("fault", "data-root", "no such folder",
                              "statecpp serve --data-root " + data_root()));
}

TEST_F(DoctorTest, ADataRootThatIsAFile) {
  std::ofstream(data_root()) << "";
  EXPECT_THAT(Doctor(), Finds("fault", "data-root", "not a folder",
                              absl::StrCat("mv ", data_root(), " ")));
}

TEST_F(DoctorTest, ADataRootThatAllMayLookInto) {
  MakeStore(1);
  ASSERT_EQ(chmod(data_root().c_str(), 0755), 0);
  EXPECT_THAT(Doctor(), Finds("warning", "data-root-mode", "mode 0755",
                              "chmod o-rwx " + data_root()));
  ASSERT_EQ(chmod(data_root().c_str(), 0700), 0);
  EXPECT_THAT(Found(Doctor(), "data-root-mode"), IsEmpty());
}

TEST_F(DoctorTest, ADataRootOfAnotherUser) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  MakeStore(1);
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  ProgramOptions options = VerbOptions("doctor", {"--json"});
  options.uid = kNobody;
  EXPECT_THAT(
      RunToEnd(options),
      Finds("fault", "data-root-owner", "may not use it",
            absl::StrCat("sudo -u '#", geteuid(), "' statecpp doctor")));
}

TEST_F(DoctorTest, ADataRootOnANetworkFileSystem) {
  fs::create_directory(dir_.Path("network"));
  ProgramOptions options = {
      .arguments = {"doctor", "--json", "--data-root", dir_.Path("network")},
      .environment = {
          "LD_PRELOAD=" +
              RunfilePath("tests/program/libnetwork_file_system.so"),
          "NETWORK_FOLDER=" + dir_.Path("network"),
          "ASAN_OPTIONS=verify_asan_link_order=0"}};
  EXPECT_THAT(RunToEnd(options),
              Finds("fault", "file-system", "network file system (NFS)",
                    "statecpp serve --data-root /var/lib/statecpp"));
  options.arguments.push_back("--allow-network-fs");
  EXPECT_THAT(RunToEnd(options),
              Finds("warning", "file-system", "network file system (NFS)",
                    "statecpp serve --data-root /var/lib/statecpp"));
}

TEST_F(DoctorTest, ASocketFolderOnANetworkFileSystem) {
  fs::create_directory(dir_.Path("network"));
  EXPECT_THAT(
      RunToEnd(
          {.arguments = {"doctor", "--json", "--socket-folder",
                         dir_.Path("network")},
           .environment = {"LD_PRELOAD=" +
                               RunfilePath(
                                   "tests/program/libnetwork_file_system.so"),
                           "NETWORK_FOLDER=" + dir_.Path("network"),
                           "ASAN_OPTIONS=verify_asan_link_order=0"}}),
      Finds("warning", "socket-folder-file-system", "WSL's /mnt/c",
            "statecpp serve --socket-folder"));
}

TEST_F(DoctorTest, ADataRootInMemory) {
  ASSERT_EQ(access("/dev/shm", W_OK), 0) << "no tmpfs to try it with";
  const MemoryDir memory;
  EXPECT_THAT(
      RunToEnd(
          {.arguments = {"doctor", "--json", "--data-root", memory.path()}}),
      Finds("warning", "file-system", "this is tmpfs", "mount a volume"));
}

TEST_F(DoctorTest, AKeyInTheDataRoot) {
  MakeStore(1);
  std::ofstream(data_root() + "/dev.key") << "";
  EXPECT_THAT(Doctor(), Finds("warning", "key-in-data-root", "serve --dev",
                              "statecpp keygen"));
}

TEST_F(DoctorTest, ADiskThatIsSmallerThanTheStoresMayGrow) {
  MakeStore(1);
  EXPECT_THAT(
      Doctor({"--component", WriteYaml("  - {name: maxSize, value: 16Ti}\n")}),
      Finds("warning", "disk", "before they reach it", "du -h"));
}

// A default is no plan: nobody has 10 GiB for each store.
TEST_F(DoctorTest, TheDefaultOfMaxSizeAsksForNoRoom) {
  MakeStore(1);
  const Outcome outcome = Doctor({"--component", WriteYaml()});
  EXPECT_THAT(outcome, Finds("ok", "disk", " left", ""));
  EXPECT_THAT(Found(outcome, "disk"), Not(HasSubstr("may still")));
}

TEST_F(DoctorTest, MemoryThatCannotBeLocked) {
  SKIP_UNLESS_NOBODY_CAN_BE();  // root may lock whatever the limit is
  MakeStore(1);
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(data_root().c_str(), 0777), 0);
  ProgramOptions options = VerbOptions("doctor", {"--json"});
  options.uid = kNobody;
  options.limits[RLIMIT_MEMLOCK] = 0;
  EXPECT_THAT(RunToEnd(options),
              AllOf(Finds("warning", "memory-lock", "RLIMIT_MEMLOCK is 0 bytes",
                          "ulimit -l"),
                    // And what else it may not look at.
                    Finds("warning", "server", "could not be looked at",
                          "as the server's user"),
                    Finds("fault", "store-unreadable", "could not list",
                          "as the server's user")));
}

// --- The server.

TEST_F(DoctorTest, ALockThatSomebodyElseHolds) {
  MakeStore(1);
  const HeldStore held(data_root());
  EXPECT_THAT(Doctor(), Finds("fault", "server",
                              absl::StrCat("held by pid ", getpid(), " here, "),
                              absl::StrCat("kill ", getpid())));
}

TEST_F(DoctorTest, AServerOfAnotherUser) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  Serve();
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(data_root().c_str(), 0777), 0);
  ProgramOptions options = VerbOptions("doctor", {"--json"});
  options.uid = kNobody;
  EXPECT_THAT(RunToEnd(options), Finds("warning", "server", "cannot be asked",
                                       "as the server's user"));
}

// --- Stores.

TEST_F(DoctorTest, AStoreThatIsNotMadeYet) {
  Serve();
  EXPECT_THAT(Doctor({"--component", WriteYaml()}),
              Finds("ok", "store", "not made yet", ""));
}

TEST_F(DoctorTest, AStoreThatTheServerDoesNotHaveOpen) {
  MakeStore(1);
  Serve();
  EXPECT_THAT(Doctor(), Finds("ok", "store", "does not have it open now", ""));
}

TEST_F(DoctorTest, AStoreThatTheServerCouldNotOpen) {
  MakeStore(1);
  fs::resize_file(store() + "/data.mdb", 100);
  Serve();
  EXPECT_FALSE(Client(socket_path()).GetKey("a").status.ok());
  EXPECT_THAT(Doctor(), Finds("fault", "store-down", "is damaged",
                              "the next call for it tries again"));
}

TEST_F(DoctorTest, AStoreThatSomebodyElseHasOpen) {
  MakeStore(1);
  // What it says of itself is not who it is.
  const HeldStore held(store(), "pid 1 on me");
  EXPECT_THAT(Doctor(),
              Finds("fault", "store-held", absl::StrCat("pid ", getpid(), ", "),
                    absl::StrCat("kill ", getpid())));
}

// Root's look at what a user may have put there.
TEST_F(DoctorTest, AStoreWhoseFileIsThatOfAnother) {
  MakeStore(1);
  fs::create_hard_link(store() + "/data.mdb", dir_.Path("other"));
  EXPECT_THAT(Doctor(),
              Finds("fault", "store-unreadable", "it has 2 names",
                    "find / -xdev -samefile " + store() + "/data.mdb"));
}

TEST_F(DoctorTest, AStoreWhoseFileIsCutShort) {
  MakeStore(1);
  fs::resize_file(store() + "/data.mdb", 5000);
  EXPECT_THAT(Doctor(), Finds("fault", "store-damaged", "",
                              "statecpp restore BACKUP --data-root " +
                                  data_root() + " --store orders"));
}

TEST_F(DoctorTest, AStoreWithoutItsFile) {
  MakeStore(1);
  fs::remove(store() + "/data.mdb");
  EXPECT_THAT(Doctor(),
              Finds("fault", "store-damaged", "", "statecpp restore BACKUP"));
}

TEST_F(DoctorTest, AStoreThatIsSealedOtherThanItsYaml) {
  MakeStore(1);
  if (TestsAreSealed()) {
    const std::string yaml =
        With(Yaml(), "value: \"required\"", "value: \"off\"");
    EXPECT_THAT(Doctor({"--component", Write("off.yaml", yaml)}),
                Finds("fault", "store-sealing", "the store is sealed",
                      "- {name: encryption, value: \\\"required\\\"}"));
    return;
  }
  const std::string yaml =
      With(Yaml(), "value: \"off\"", "value: \"required\"");
  EXPECT_THAT(Doctor({"--component", Write("required.yaml", yaml)}),
              Finds("fault", "store-sealing", "the store is not sealed",
                    "statecpp encrypt --data-root " + data_root() +
                        " --store orders --key-file FILE"));
}

TEST_F(DoctorTest, AServedStoreThatIsSealedOtherThanItsYaml) {
  Serve();
  Client(socket_path()).MustInit();
  const std::string yaml =
      TestsAreSealed() ? With(Yaml(), "value: \"required\"", "value: \"off\"")
                       : With(Yaml(), "value: \"off\"", "value: \"required\"");
  EXPECT_THAT(Doctor({"--component", Write("other.yaml", yaml)}),
              Finds("fault", "store-sealing", "so Init fails", "encryption"));
}

// A store of this run, and another key than its own.
class DoctorKeyTest : public DoctorTest {
 protected:
  void SetUp() override {
    MakeStore(1);
    ASSERT_EQ(RunToEnd({.arguments = {"keygen", other_key()}}).exit_code, 0);
  }
  std::string other_key() const { return dir_.Path("other.key"); }
};

TEST_F(DoctorKeyTest, NoKeyGiven) {
  const Outcome outcome = DoctorWith({});
  if (!TestsAreSealed()) {
    EXPECT_THAT(outcome, Finds("ok", "store", "not sealed", ""));
    return;
  }
  EXPECT_THAT(outcome, Finds("warning", "store-key",
                             "it is sealed for: ", "--key-file FILE"));
}

TEST_F(DoctorKeyTest, AKeyThatIsNotTheStores) {
  const Outcome outcome = DoctorWith({"--key-file", other_key()});
  if (!TestsAreSealed()) {
    EXPECT_THAT(outcome, Finds("ok", "store", "not sealed", ""));
    return;
  }
  EXPECT_THAT(outcome, Finds("fault", "store-key", "no configured key opens",
                             "--key-file FILE"));
}

TEST_F(DoctorKeyTest, AKeyThatOthersCanRead) {
  ASSERT_EQ(chmod(key_file().c_str(), 0644), 0);
  if (!TestsAreSealed()) {
    EXPECT_THAT(Doctor(), Finds("ok", "store", "not sealed", ""));
    return;
  }
  EXPECT_THAT(Doctor(), Finds("fault", "store-key", "others can read it",
                              "chmod g-w,o-rwx " + key_file()));
}

// Whose server takes it: to give it to root would take it from that server.
TEST_F(DoctorKeyTest, AKeyOfTheDataRootsOwner) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  if (!TestsAreSealed()) return;  // a plain store has none
  ASSERT_EQ(chown(data_root().c_str(), kNobody, kNobody), 0);
  ASSERT_EQ(chown(key_file().c_str(), kNobody, kNobody), 0);
  EXPECT_THAT(Doctor(), Finds("warning", "store-key", "belongs to uid",
                              absl::StrCat("sudo -u '#", kNobody, "'")));
}

TEST_F(DoctorKeyTest, AKeyThatTheComponentNames) {
  if (!TestsAreSealed()) return;  // a plain store has none
  const std::string yaml = Write(
      "own.yaml", Yaml("  - {name: encryptionKeyFile, value: test.key}\n"));
  EXPECT_THAT(
      DoctorWith({"--component", yaml}),
      Finds("fault", "store-key", "names the key file", "--key-dir DIR"));
  EXPECT_THAT(DoctorWith({"--component", yaml, "--key-dir",
                          fs::path(key_file()).parent_path().string()}),
              Finds("ok", "store", "the key opens it", ""));
}

// A YAML can be anybody's, and root would paste it into a shell.
TEST_F(DoctorKeyTest, AFixIsNoCommandOfTheYaml) {
  if (!TestsAreSealed()) return;  // a plain store has no key
  const std::string yaml = Write(
      "own.yaml", Yaml("  - {name: encryptionKeyFile, value: \"`reboot`\"}\n"));
  for (const std::vector<std::string>& folder :
       {std::vector<std::string>(),
        {"--key-dir", fs::path(key_file()).parent_path().string()}}) {
    std::vector<std::string> arguments = {"--component", yaml};
    arguments.insert(arguments.end(), folder.begin(), folder.end());
    const Outcome outcome = DoctorWith(arguments);
    EXPECT_THAT(outcome, Finds("fault", "store-key", "`reboot`", "--key-"));
    EXPECT_THAT(Found(outcome, "store-key"),
                Not(HasSubstr("\"fix\":\"reboot")));
  }
}

TEST_F(DoctorKeyTest, AKeyThatACommandPrintsIsAskedForOnce) {
  if (!TestsAreSealed()) return;  // a plain store has no key
  fs::copy(store(), stores() + "/carts", fs::copy_options::recursive);
  const std::string command = Write(
      "key.sh",
      absl::StrCat("echo >> ", dir_.Path("asked"), "\ncat ", key_file(), "\n"));
  const Outcome outcome = DoctorWith({"--key-command", "sh " + command});
  EXPECT_THAT(outcome, Finds("ok", "store", "the key opens it", ""));
  EXPECT_EQ(fs::file_size(dir_.Path("asked")), 1u);
}

TEST_F(DoctorKeyTest, AKeyFromTheEnvironmentServesAllStores) {
  fs::copy(store(), stores() + "/carts", fs::copy_options::recursive);
  ProgramOptions options =
      VerbOptions("doctor", {"--json", "--key-env", "THE_KEY"});
  std::string hex;
  for (const uint8_t byte : TestKeyBytes()) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  options.environment = {"THE_KEY=" + hex};
  const Outcome outcome = RunToEnd(options);
  EXPECT_THAT(Found(outcome, "store-key"), IsEmpty());
  EXPECT_THAT(Found(outcome, "store"),
              AllOf(HasSubstr("\"carts\""), HasSubstr("\"orders\"")));
}

// --- How full they are.

TEST_F(DoctorTest, AStoreThatFillsUp) {
  MakeLargeStore();
  EXPECT_THAT(
      Doctor({"--component", WriteYaml("  - {name: maxSize, value: 1Mi}\n")}),
      Finds("warning", "store-filling", "of maxSize 1Mi",
            "- {name: maxSize, value: \\\"2Mi\\\"}"));
  EXPECT_THAT(Found(Doctor({"--component", WriteYaml()}), "store-filling"),
              IsEmpty());
}

TEST_F(DoctorTest, AServedStoreThatFillsUp) {
  Serve();
  Client client(socket_path());
  client.MustInit({{"maxSize", "2Mi"}});
  for (int i = 0; i < 18; ++i) {
    ASSERT_THAT(client.SetKey(KeyName(i), Value(i, 100000)), Succeeds());
  }
  EXPECT_THAT(Doctor(), Finds("warning", "store-filling", "of maxSize 2Mi",
                              "- {name: maxSize, value: \\\"4Mi\\\"}"));
}

TEST_F(DoctorTest, TheServersMemoryOfMaxSizeCountsWithoutYaml) {
  Serve();
  Client client(socket_path());
  client.MustInit({{"maxSize", "2Mi"}});
  for (int i = 0; i < 18; ++i) {
    ASSERT_THAT(client.SetKey(KeyName(i), Value(i, 100000)), Succeeds());
  }
  StopServing();
  EXPECT_THAT(Doctor(),
              Finds("warning", "store-filling", "of maxSize 2Mi", "4Mi"));
}

}  // namespace
}  // namespace statecpp
