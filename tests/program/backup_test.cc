// SPDX-License-Identifier: Apache-2.0
//
// `statecpp backup`, beside the server that has the store and without one, and
// `statecpp restore`.
#include <signal.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/held_store.h"
#include "tests/program/offline_store.h"
#include "tests/program/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::_;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// docs/operations.md promises these.
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kNotFound = 3;
constexpr int kConflict = 4;
constexpr int kDamaged = 5;
constexpr int kUnreachable = 6;
constexpr int kKeyRefused = 7;
constexpr int kLockHeld = 73;

// Before that a signal ends it, as any process.
bool Blocks(const Program& program, int signal) {
  std::ifstream status(absl::StrCat("/proc/", program.pid(), "/status"));
  std::string word;
  uint64_t blocked = 0;
  while (status >> word) {
    if (word == "SigBlk:") status >> std::hex >> blocked;
  }
  return (blocked >> (signal - 1) & 1) != 0;
}

class BackupTest : public OfflineStoreTest {
 protected:
  std::string backup() const { return backups_.Path("orders"); }

  Outcome BackUp(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), backup());
    return RunToEnd(VerbOptionsWithKey("backup", std::move(more)));
  }
  // Beside a server the verb needs no key.
  Outcome BackUpServed(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), backup());
    return RunToEnd(VerbOptions("backup", std::move(more)));
  }
  Outcome Restore(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), backup());
    return RunToEnd(VerbOptionsWithKey("restore", std::move(more)));
  }
  Outcome VerifyBackup() const {
    std::vector<std::string> arguments = {"verify", "--store-path", backup()};
    if (TestsAreSealed()) {
      arguments.insert(arguments.end(), {"--key-file", key_file()});
    }
    return RunToEnd({.arguments = arguments});
  }

  // One that takes a while.
  static constexpr int kManyItems = 600;
  static constexpr size_t kLarge = 100'000;

  const TempDir backups_;
};

TEST_F(BackupTest, AServedStoreIsBackedUpByItsServerWithoutAKey) {
  MakeStore(50);
  Serve();
  EXPECT_EQ(Client(socket_path()).ValueOf(KeyName(3)), Value(3, 100));
  EXPECT_THAT(BackUpServed(),
              Exits(0, ContainsRegex(absl::StrCat(
                           "backed up orders to ", backup(),
                           ": 50 records, [0-9.]+ KiB, as of commit "))));
  EXPECT_THAT(VerifyBackup(), Exits(0, HasSubstr("50 records (0 expired")));
  EXPECT_EQ(Client(socket_path()).ValueOf(KeyName(4)), Value(4, 100));
  EXPECT_TRUE(server().AwaitLog("backup made"));
}

TEST_F(BackupTest, IsRestoredWhereNothingIs) {
  MakeStore(50);
  EXPECT_THAT(BackUp(), Exits(0, HasSubstr("50 records")));
  EXPECT_THAT(Restore({"--store", "orders"}),
              Exits(kConflict, HasSubstr("restored to where nothing is")));
  fs::remove_all(store());
  EXPECT_THAT(Restore({"--store", "orders"}),
              Exits(0, AllOf(HasSubstr("restored orders: 50 records"),
                             HasSubstr("a component with dataDir orders"))));
  ExpectServed({});
}

TEST_F(BackupTest, IsRestoredBesideAServerAndIntoANewDataRoot) {
  MakeStore(50);
  EXPECT_THAT(BackUp(), Exits(0, _));
  Serve();
  EXPECT_THAT(Restore({"--store", "copy"}), Exits(0, HasSubstr("copy")));
  EXPECT_THAT(NamesIn(stores()), ElementsAre("copy", "orders"));
  Client copy(socket_path(), "copy");
  copy.MustInit();
  EXPECT_EQ(copy.ValueOf(KeyName(7)), Value(7, 100));
  StopServing();
  fs::remove_all(data_root());
  EXPECT_THAT(Restore({"--store", "orders"}),
              Exits(kNotFound, HasSubstr("there is no folder")));
  fs::create_directory(data_root());
  EXPECT_THAT(Restore({"--store", "orders"}), Exits(0, _));
  EXPECT_THAT(NamesIn(stores()), ElementsAre("orders"));
}

TEST_F(BackupTest, IsNotRestoredWhereAServerHasTheStoreThatWasThere) {
  MakeStore(50);
  EXPECT_THAT(BackUp(), Exits(0, _));
  Serve();
  Client client(socket_path());
  EXPECT_EQ(client.ValueOf(KeyName(3)), Value(3, 100));
  // Moved away under it, as nobody should.
  fs::rename(store(), dir_.Path("away"));
  EXPECT_THAT(Restore({"--store", "orders"}),
              Exits(kLockHeld, AllOf(HasSubstr("has the store orders open"),
                                     HasSubstr("nothing was restored"))));
  EXPECT_THAT(NamesIn(stores()), ElementsAre());
  // What it holds can be saved.
  EXPECT_THAT(RunToEnd(VerbOptions(
                  "backup", {backups_.Path("saved"), "--store", "orders"})),
              Exits(0, HasSubstr("50 records")));
  StopServing();
  EXPECT_THAT(Restore({"--store", "orders"}), Exits(0, _));
  ExpectServed({});
}

TEST_F(BackupTest, IsNotRestoredBesideAServerThatDoesNotAnswer) {
  MakeStore(50);
  EXPECT_THAT(BackUp(), Exits(0, _));
  Serve();
  server().Signal(SIGSTOP);
  EXPECT_THAT(Restore({"--store", "new"}),
              Exits(kUnreachable, AllOf(HasSubstr("has not said within 5s"),
                                        HasSubstr("nothing was done"))));
  server().Signal(SIGCONT);
  EXPECT_THAT(Restore({"--store", "new"}), Exits(0, _));
}

// Else nothing but SIGKILL would end it meanwhile.
TEST_F(BackupTest, IsInterruptedWhileTheServerDoesNotAnswer) {
  MakeStore(50);
  EXPECT_THAT(BackUp(), Exits(0, _));
  Serve();
  server().Signal(SIGSTOP);
  Program restore(VerbOptionsWithKey("restore", {backup(), "--store", "new"}));
  ASSERT_TRUE(AwaitTrue([&restore] { return Blocks(restore, SIGTERM); }));
  restore.Signal(SIGTERM);
  EXPECT_EQ(restore.Wait(), kFailed);
  EXPECT_THAT(restore.err(), HasSubstr("interrupted"));
  server().Signal(SIGCONT);
}

TEST_F(BackupTest, PrintsJson) {
  MakeStore(50);
  EXPECT_THAT(BackUp({"--json", "--quiet"}),
              Exits(0, AllOf(HasSubstr("{\"store\": \"orders\", \"path\": \""),
                             HasSubstr("\"records\": 50, "),
                             HasSubstr("\"resumed\": false, "),
                             HasSubstr("\"slowedMillis\": 0}"),
                             Not(HasSubstr("copying")))));
  EXPECT_THAT(
      Restore({"--store", "new", "--json", "--quiet"}),
      Exits(0, AllOf(HasSubstr("{\"store\": \"new\", "),
                     HasSubstr("\"records\": 50, "),
                     HasSubstr(TestsAreSealed() ? "\"sealed\": true}"
                                                : "\"sealed\": false}"))));
}

TEST_F(BackupTest, IsRefusedWhereSomethingIsAndInTheDataRoot) {
  MakeStore(50);
  const auto refused = [&](const std::string& path, int code,
                           const std::string& why) {
    EXPECT_THAT(RunToEnd(VerbOptionsWithKey("backup", {path})),
                Exits(code, HasSubstr(why)))
        << path;
  };
  for (const bool served : {false, true}) {
    SCOPED_TRACE(served);
    if (served) Serve();
    fs::create_directory(backup());
    refused(backup(), kConflict, "replaces nothing");
    fs::remove(backup());
    refused(data_root() + "/backup", kUsage, "name a folder elsewhere");
    refused(stores() + "/backup", kUsage, "name a folder elsewhere");
    fs::create_directory_symlink(data_root(), backups_.Path("link"));
    refused(backups_.Path("link/backup"), kUsage, "name a folder elsewhere");
    fs::remove(backups_.Path("link"));
    refused(backups_.Path("none/backup"), kNotFound, "make it first");
  }
  EXPECT_THAT(NamesIn(stores()), ElementsAre("orders"));
  EXPECT_THAT(RunToEnd(VerbOptions("backup")),
              Exits(kUsage, HasSubstr("PATH")));
}

TEST_F(BackupTest, GoesOnWhereItWasKilledOrInterrupted) {
  MakeStore(kManyItems, kLarge);
  for (const int signal : {SIGINT, SIGKILL}) {
    Program program(VerbOptionsWithKey("backup", {backup()}));
    const std::string data = backup() + ".partial/data.mdb";
    ASSERT_TRUE(AwaitTrue([&data] {
      std::error_code ignored;
      return fs::exists(data) && fs::file_size(data, ignored) > (1 << 20);
    }));
    program.Signal(signal);
    if (signal == SIGINT) {
      EXPECT_EQ(program.Wait(), kFailed);
      EXPECT_THAT(program.err(), HasSubstr("goes on from there"));
    } else {
      EXPECT_EQ(program.Wait(), 128 + SIGKILL);
    }
    EXPECT_FALSE(fs::exists(backup()));
    EXPECT_THAT(RunToEnd(VerbOptionsWithKey(
                    "restore", {backup() + ".partial", "--store", "new"})),
                Exits(kDamaged, _));
  }
  EXPECT_THAT(BackUp(), Exits(0, HasSubstr("went on from an interrupted one")));
  EXPECT_THAT(VerifyBackup(), Exits(0, _));
  EXPECT_THAT(NamesIn(backups_.path()), ElementsAre("orders"));
}

TEST_F(BackupTest, StopsInTheServerWhenWhoeverAskedLeaves) {
  MakeStore(kManyItems, kLarge);
  Serve();
  Program program(VerbOptions("backup", {backup() + "/"}));
  ASSERT_TRUE(AwaitTrue([&] { return fs::exists(backup() + ".partial"); }));
  program.Signal(SIGINT);
  EXPECT_EQ(program.Wait(), kFailed);
  EXPECT_THAT(program.err(), HasSubstr("kept at " + backup() + ".partial"));
  ASSERT_TRUE(server().AwaitLog("backup not made"));
  EXPECT_FALSE(fs::exists(backup()));
  EXPECT_THAT(BackUpServed(), Exits(0, HasSubstr("600 records")));
}

TEST_F(BackupTest, OneThatIsBeingMadeIsNotMadeTwice) {
  MakeStore();
  Serve();
  const std::string partial = backup() + ".partial";
  fs::create_directory(partial);
  std::ofstream(partial + "/LOCK") << "";
  {
    const HeldStore held(partial, "pid 7 on elsewhere");
    EXPECT_THAT(
        BackUpServed(),
        Exits(kLockHeld, HasSubstr("another backup is being written in")));
  }
  EXPECT_THAT(BackUpServed(), Exits(0, _));
}

TEST_F(BackupTest, NeedsTheKeyOfTheStoreIfItIsSealed) {
  MakeStore(50);
  EXPECT_THAT(BackUp(), Exits(0, _));
  const int refused = TestsAreSealed() ? kKeyRefused : 0;
  EXPECT_THAT(RunToEnd(VerbOptions("backup", {backups_.Path("two")})),
              Exits(refused, _));
  EXPECT_THAT(RunToEnd(VerbOptions("restore", {backup(), "--store", "new"})),
              Exits(refused, _));
  EXPECT_EQ(fs::exists(stores() + "/new"), !TestsAreSealed());
}

TEST_F(BackupTest, DamageIsNamedAndNothingPassesForABackup) {
  // One item that takes most of the file.
  Serve();
  {
    Client client(socket_path());
    client.MustInit();
    ASSERT_THAT(client.SetKey("large", std::string(2 << 20, 'v')), Succeeds());
  }
  StopServing();
  EXPECT_THAT(BackUp(), Exits(0, _));
  const auto damage = [](const std::string& file) {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(1 << 20);
    bytes << "damage";
  };
  damage(backup() + "/data.mdb");
  EXPECT_THAT(Restore({"--store", "new"}),
              Exits(kDamaged, HasSubstr("is damaged and was not copied")));
  EXPECT_THAT(NamesIn(stores()), ElementsAre("orders"));

  damage(store() + "/data.mdb");
  for (const bool served : {false, true}) {
    if (served) Serve();
    fs::remove_all(backup());
    EXPECT_THAT(BackUp(), Exits(kDamaged, HasSubstr("(key \"large\")")));
    EXPECT_FALSE(fs::exists(backup()));
  }
}

TEST_F(BackupTest, AStoreThatSomebodyElseHasIsRefused) {
  MakeStore();
  const HeldStore held(store(), "pid 7 on elsewhere");
  EXPECT_THAT(BackUp(), Exits(kLockHeld, HasSubstr("pid 7 on elsewhere")));
}

}  // namespace
}  // namespace statecpp
