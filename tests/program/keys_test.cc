// SPDX-License-Identifier: Apache-2.0
//
// `statecpp keys`: who may open a store, and what its records are sealed with,
// shown and changed beside the server that has the store and without one.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/held_store.h"
#include "tests/program/keys_store.h"
#include "tests/program/program.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// docs/operations.md promises these.
constexpr int kUsage = 2;
constexpr int kNotFound = 3;
constexpr int kConflict = 4;
constexpr int kUnreachable = 6;
constexpr int kKeyRefused = 7;
constexpr int kLockHeld = 73;

class KeysTest : public KeysStoreTest {
 protected:
  // Whether a server with that key, and no other, can serve the store.
  bool Opens(const std::string& key, const std::string& flag = "--key-file") {
    Serve(key, flag);
    const bool opens = Client(socket_path()).GetKey("key0").status.ok();
    StopServing();
    return opens;
  }
};

// --- status ------------------------------------------------------------------

TEST_F(KeysTest, StatusBesideAServerNeedsNoKey) {
  ServeOrders();
  WriteRecords(3);
  EXPECT_THAT(
      Keys({"status"}),
      Exits(0, AllOf(HasSubstr("): sealed, 3 records, served\n"),
                     ::testing::ContainsRegex("\n  old  [0-9a-f]{8}  key\n"),
                     HasSubstr("\n  1     active  3 records\n"),
                     HasSubstr("rotation: none under way\n"),
                     HasSubstr("free pages of the file, until: statecpp "
                               "compact"))));
}

TEST_F(KeysTest, StatusAsJson) {
  ServeOrders();
  WriteRecords(3);
  EXPECT_THAT(
      Keys({"status", "--json"}).out,
      MatchesRegex(
          "\\{\"store\":\"orders\",\"storeId\":\"[0-9a-f]{32}\","
          "\"sealed\":true,\"records\":3,\"slots\":\\[\\{\"name\":\"old\","
          "\"kind\":\"key\",\"fingerprint\":\"[0-9a-f]{8}\"\\}\\],\"dataKeys\":"
          "\\[\\{\"id\":1,\"active\":true,\"records\":3\\}\\],\"rotation\":"
          "\\{\"left\":0,\"running\":false,\"done\":0,\"damaged\":0,"
          "\"error\":null\\}\\}\n"));
}

TEST_F(KeysTest, StatusWithoutAServerOrAKeyShowsSlotsAndNoCounts) {
  MakeOrders();
  EXPECT_THAT(
      Keys({"status"}),
      Exits(0, AllOf(::testing::ContainsRegex("\n  old  [0-9a-f]{8}  key\n"),
                     HasSubstr("): sealed\n"), HasSubstr("  1     active"),
                     Not(HasSubstr("records\n  ")),
                     HasSubstr("name the store's key"))));
  EXPECT_THAT(Keys({"status", "--json"}),
              Exits(0, AllOf(HasSubstr("\"records\":null,\"slots\":[{\"name\":"
                                       "\"old\""),
                             HasSubstr("\"rotation\":null"))));
}

TEST_F(KeysTest, StatusWithoutAServerCountsWithTheKey) {
  MakeOrders();
  EXPECT_THAT(KeysWith("old", {"status"}),
              Exits(0, AllOf(HasSubstr("): sealed, 3 records\n"),
                             HasSubstr("active  3 records"))));
  EXPECT_THAT(KeysWith("other", {"status"}),
              Exits(kKeyRefused, AllOf(HasSubstr("sealed for: old"),
                                       HasSubstr("configured: other"))));
}

TEST_F(KeysTest, StatusRespectsTheLockOfWhoHasTheStore) {
  MakeOrders();
  const HeldStore held(folder(), "pid 7 on elsewhere");
  for (const char* verb : {"status", "rotate", "retire"}) {
    EXPECT_THAT(KeysWith("old", {verb}),
                Exits(kLockHeld, HasSubstr("held by pid 7 on elsewhere")))
        << verb;
  }
  EXPECT_THAT(Keys({"status"}),
              Exits(kLockHeld, HasSubstr("held by pid 7 on elsewhere")));
}

// Around the server, by the store's own folder.
TEST_F(KeysTest, NoVerbOpensAStoreThatAServerHas) {
  ServeOrders();
  for (const char* verb : {"status", "rotate"}) {
    EXPECT_THAT(RunToEnd({.arguments = {"keys", verb, "--store-path", folder(),
                                        "--key-file", KeyFile("old")}}),
                Exits(kLockHeld, HasSubstr(absl::StrCat(
                                     "held by pid ", server().pid(), " on "))))
        << verb;
  }
}

TEST_F(KeysTest, StatusBesideAServerWithAnotherKeySaysWhichKeysOpenTheStore) {
  MakeOrders();
  Serve("other");
  EXPECT_THAT(
      Keys({"status"}),
      Exits(0, AllOf(::testing::ContainsRegex("\n  old  [0-9a-f]{8}  key\n"),
                     HasSubstr("no key that the server has opens"))));
  EXPECT_THAT(Keys({"rotate"}),
              Exits(kKeyRefused, HasSubstr("sealed for: old")));
}

TEST_F(KeysTest, StatusOfAPlainStoreSaysSo) {
  Serve();
  ASSERT_THAT(Client(socket_path()).Init({{"encryption", "off"}}), Succeeds());
  const auto plain = AllOf(HasSubstr("plain, its records in clear"),
                           HasSubstr("statecpp encrypt"));
  EXPECT_THAT(Keys({"status"}), Exits(0, plain));
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"rotate"},
        {"retire"},
        {"remove", "old"},
        {"add", "--new-key-file", KeyFile("new")}}) {
    EXPECT_THAT(Keys(verb), Exits(kUsage, HasSubstr("is not encrypted")))
        << verb[0];
  }
  StopServing();
  EXPECT_THAT(Keys({"status"}), Exits(0, plain));
  EXPECT_THAT(KeysWith("old", {"status"}), Exits(0, plain));
}

// --- A store that the server has not opened ----------------------------------

TEST_F(KeysTest, AServerRecallsTheInstanceThatHasTheStore) {
  MakeOrders();
  Serve();
  EXPECT_THAT(Keys({"status"}), Exits(0, HasSubstr("3 records, served")));
  EXPECT_THAT(server().err(), HasSubstr("instance recalled"));
}

TEST_F(KeysTest, AServerOpensAStoreThatNoInstanceIsRememberedFor) {
  MakeOrders();
  fs::remove(data_root() + "/instances/orders.json");
  Serve();
  EXPECT_THAT(Keys({"status"}), Exits(0, HasSubstr("3 records, served")));
  EXPECT_THAT(Keys({"rotate"}), Exits(0, HasSubstr("under data key 2")));
  // And leaves it to the instance that comes.
  EXPECT_THAT(Client(socket_path()).Init({}), Succeeds());
  EXPECT_EQ(Client(socket_path()).ValueOf("key0"), "value0");
}

TEST_F(KeysTest, NoVerbMakesAStore) {
  Serve();
  for (const std::string name : {"none", "shop/none"}) {
    EXPECT_THAT(Keys({"status", "--store", name}),
                Exits(kNotFound, HasSubstr("has no store " + name)));
  }
  // What an instance would make anew.
  ASSERT_THAT(Client(socket_path()).Init({}), Succeeds());
  StopServing();
  fs::remove_all(folder());
  Serve();
  EXPECT_THAT(Keys({"status", "--store", "orders"}),
              Exits(kNotFound, HasSubstr("has no store orders")));
  EXPECT_FALSE(fs::exists(folder()));
}

// --- Which store -------------------------------------------------------------

TEST_F(KeysTest, AsksWhichStoreWhereThereAreSeveral) {
  ServeOrders();
  ASSERT_THAT(Client(socket_path(), "carts").Init({{"dataDir", "shop/carts"}}),
              Succeeds());
  EXPECT_THAT(Keys({"status"}),
              Exits(kUsage, HasSubstr("2 stores: orders, shop/carts")));
  EXPECT_THAT(Keys({"status", "--store", "shop/carts"}),
              Exits(0, HasSubstr("store shop/carts (")));
  EXPECT_THAT(Keys({"status", "--store", "../orders"}),
              Exits(kUsage, HasSubstr("is not a dataDir")));
}

TEST_F(KeysTest, SaysWhichFlagsNameAStore) {
  const auto run = [](std::vector<std::string> arguments) {
    return RunToEnd({.arguments = std::move(arguments)});
  };
  EXPECT_THAT(run({"keys", "status"}),
              Exits(kUsage, AllOf(HasSubstr("--data-root DIR"),
                                  HasSubstr("--store-path DIR"))));
  EXPECT_THAT(run({"keys", "status", "--data-root", "/none"}),
              Exits(kNotFound, HasSubstr("no folder /none")));
  EXPECT_THAT(run({"keys", "status", "--store-path", "/none"}),
              Exits(kNotFound, HasSubstr("no folder /none")));
  EXPECT_THAT(
      run({"keys", "status", "--store-path", "/tmp", "--data-root", "/tmp"}),
      Exits(kUsage, HasSubstr("--store-path names a store by itself")));
  EXPECT_THAT(run({"keys", "status", "--store-path", "/tmp"}),
              Exits(5, HasSubstr("no data.mdb")));
}

TEST_F(KeysTest, TakesTheDataRootFromTheEnvironment) {
  MakeOrders();
  const std::string variable = "STATECPP_DATA_ROOT=" + data_root();
  EXPECT_THAT(
      RunToEnd({.arguments = {"keys", "status"}, .environment = {variable}}),
      Exits(0, HasSubstr("store orders (")));
  // A flag that says otherwise goes before it.
  EXPECT_THAT(
      RunToEnd({.arguments = {"keys", "status", "--store-path", folder()},
                .environment = {variable}}),
      Exits(0, HasSubstr(absl::StrCat("store ", folder(), " ("))));
}

// --- add and remove ----------------------------------------------------------

TEST_F(KeysTest, ReplacesTheMasterKeyOfAServedStore) {
  ServeOrders();
  WriteRecords(3);
  const std::string etag = Client(socket_path()).ETagOf("key0");
  EXPECT_THAT(
      Keys({"add", "--new-key-file", KeyFile("new")}),
      Exits(0, AllOf(::testing::ContainsRegex(
                         "added the key slot new \\([0-9a-f]{8}\\)"),
                     HasSubstr("hand the new key to the server, restart it, "
                               "then: statecpp keys remove old\n"))));
  EXPECT_THAT(server().err(), HasSubstr("keys add"));
  StopServing();

  Serve("new");
  EXPECT_EQ(Client(socket_path()).ValueOf("key0"), "value0");
  EXPECT_EQ(Client(socket_path()).ETagOf("key0"), etag);
  EXPECT_THAT(Keys({"remove", "old"}),
              Exits(0, HasSubstr("removed the key slot old")));
  EXPECT_THAT(Keys({"status"}), Exits(0, Not(HasSubstr("  old "))));
  StopServing();

  EXPECT_FALSE(Opens("old"));
  EXPECT_TRUE(Opens("new"));
  EXPECT_THAT(KeysWith("old", {"rotate"}),
              Exits(kKeyRefused, AllOf(HasSubstr("sealed for: new"),
                                       HasSubstr("configured: old"))));
}

TEST_F(KeysTest, ReplacesTheMasterKeyWithoutAServer) {
  MakeOrders();
  EXPECT_THAT(KeysWith("old", {"add", "--new-key-file", KeyFile("new"),
                               "--name", "prod-2"}),
              Exits(0, AllOf(HasSubstr("added the key slot prod-2 ("),
                             HasSubstr("statecpp keys remove old"))));
  EXPECT_TRUE(Opens("old"));
  EXPECT_THAT(KeysWith("new", {"remove", "old"}), Exits(0, HasSubstr("old")));
  EXPECT_FALSE(Opens("old"));
  EXPECT_TRUE(Opens("new"));
}

TEST_F(KeysTest, AddsAPassphrase) {
  ServeOrders();
  WriteRecords(1);
  EXPECT_THAT(Keys({"add", "--new-passphrase-file", KeyFile("words")}),
              Exits(0, HasSubstr("added the key slot words")));
  EXPECT_THAT(Keys({"status"}),
              Exits(0, ::testing::ContainsRegex(
                           "\n  words  [0-9a-f]{8}  passphrase\n")));
  StopServing();
  EXPECT_TRUE(Opens("words", "--passphrase-file"));
}

TEST_F(KeysTest, NamesTheNewKeysFileAsTheServerFindsIt) {
  ServeOrders();
  ProgramOptions options = KeysOptions({"add", "--new-key-file", "new.key"});
  options.working_folder = fs::path(KeyFile("new")).parent_path();
  EXPECT_THAT(RunToEnd(options), Exits(0, HasSubstr("key slot new")));
}

TEST_F(KeysTest, AddRefusesWhatIsNoNewKey) {
  ServeOrders();
  const auto add = [&](std::vector<std::string> more) {
    more.insert(more.begin(), "add");
    return Keys(std::move(more));
  };
  EXPECT_THAT(add({}), Exits(kUsage, HasSubstr("--new-key-file")));
  EXPECT_THAT(add({"--new-key-file", KeyFile("new"), "--new-passphrase-file",
                   KeyFile("words")}),
              Exits(kUsage, HasSubstr("by one of")));
  EXPECT_THAT(add({"--new-key-file", KeyFile("none")}),
              Exits(kKeyRefused, HasSubstr(KeyFile("none"))));
  EXPECT_THAT(add({"--new-key-file", KeyFile("words")}),
              Exits(kUsage, Not(HasSubstr("staple"))));
  EXPECT_THAT(add({"--new-key-file", KeyFile("new"), "--name", "a b"}),
              Exits(kUsage, HasSubstr("cannot be the name of a key")));
  EXPECT_THAT(add({"--new-key-file", KeyFile("old"), "--name", "again"}),
              Exits(kConflict, HasSubstr("opens the store already")));
  EXPECT_THAT(add({"--new-key-file", KeyFile("new"), "--name", "old"}),
              Exits(kConflict, HasSubstr("a key slot \"old\" already")));
  chmod(KeyFile("new").c_str(), 0644);
  EXPECT_THAT(add({"--new-key-file", KeyFile("new")}),
              Exits(kKeyRefused, HasSubstr("chmod")));
  EXPECT_THAT(
      add({"--new-key-file", KeyFile("new"), "--new-allow-loose-key-file"}),
      Exits(0, HasSubstr("key slot new")));
}

TEST_F(KeysTest, RemoveKeepsTheStoreOpenable) {
  ServeOrders();
  EXPECT_THAT(Keys({"remove", "old"}),
              Exits(kUsage, HasSubstr("the store's only key slot")));
  ASSERT_THAT(Keys({"add", "--new-key-file", KeyFile("new")}),
              Exits(0, HasSubstr("added")));
  const auto only_openable = Exits(
      kUsage, HasSubstr("the only key slot that the configured keys open"));
  EXPECT_THAT(Keys({"remove", "old"}), only_openable);
  EXPECT_THAT(
      Keys({"remove", "none"}),
      Exits(kNotFound, AllOf(HasSubstr("\"none\""), HasSubstr("it has: old"))));
  EXPECT_THAT(Keys({"remove", "new"}), Exits(0, HasSubstr("removed")));
  ASSERT_THAT(Keys({"add", "--new-key-file", KeyFile("new")}),
              Exits(0, HasSubstr("added")));
  StopServing();
  EXPECT_THAT(KeysWith("old", {"remove", "old"}), only_openable);
  EXPECT_TRUE(Opens("old"));
}

// What counts is what the server's key is now, not what it was at its start.
TEST_F(KeysTest, RemoveReadsTheServersKeyAnew) {
  ServeOrders();
  ASSERT_THAT(Keys({"add", "--new-key-file", KeyFile("new")}),
              Exits(0, HasSubstr("added")));
  fs::copy_file(KeyFile("new"), KeyFile("old"),
                fs::copy_options::overwrite_existing);
  EXPECT_THAT(Keys({"remove", "new"}),
              Exits(kUsage, HasSubstr("the configured keys open")));
  EXPECT_THAT(Keys({"remove", "old"}), Exits(0, HasSubstr("removed")));
  StopServing();
  EXPECT_TRUE(Opens("old")) << "the file, which is the new key's by now";
}

TEST_F(KeysTest, VerbsOfAStoreThatNobodyServesNeedItsKey) {
  MakeOrders();
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"rotate"},
        {"retire"},
        {"remove", "old"},
        {"add", "--new-key-file", KeyFile("new")}}) {
    EXPECT_THAT(Keys(verb), Exits(kKeyRefused, HasSubstr("sealed for: old")))
        << verb[0];
    EXPECT_THAT(KeysWith("other", verb),
                Exits(kKeyRefused, HasSubstr("configured: other")))
        << verb[0];
  }
}

// --- The socket --------------------------------------------------------------

TEST_F(KeysTest, TheAdminSocketIsThereWhileTheServerIs) {
  ServeOrders();
  struct stat info = {};
  ASSERT_EQ(lstat(admin_path().c_str(), &info), 0);
  EXPECT_TRUE(S_ISSOCK(info.st_mode));
  EXPECT_EQ(info.st_mode & 07777, mode_t{0600});
  StopServing();
  EXPECT_FALSE(fs::exists(admin_path()));
}

TEST_F(KeysTest, ASocketThatAKilledServerLeftStandsInNobodysWay) {
  ServeOrders();
  server().Signal(SIGKILL);
  server().Wait();
  ASSERT_TRUE(fs::exists(admin_path()));
  EXPECT_THAT(Keys({"status"}), Exits(0, Not(HasSubstr("served"))));
  Serve();
  EXPECT_THAT(Keys({"status"}), Exits(0, HasSubstr("served")));
}

TEST_F(KeysTest, AServerThatCannotHaveTheSocketServesAllTheSame) {
  fs::create_directories(data_root());
  std::ofstream file(admin_path());
  ServeOrders();
  EXPECT_THAT(server().err(), HasSubstr("there is no admin socket"));
  WriteRecords(1);
  EXPECT_THAT(Keys({"status"}), Exits(kLockHeld, HasSubstr("is held by pid")));
}

TEST_F(KeysTest, AnotherUserIsToldWhoseServerItIs) {
  if (!CanBecomeNobody()) {
    GTEST_SKIP() << "needs root outside of Bazel's sandbox";
  }
  ServeOrders();
  for (const std::string& path :
       {dir_.path(), data_root(), data_root() + "/stores"}) {
    chmod(path.c_str(), 0755);
  }
  ProgramOptions options = KeysOptions({"status"});
  options.uid = kNobody;
  EXPECT_THAT(RunToEnd(options),
              Exits(kUnreachable, HasSubstr("run this as the server's user")));
}

}  // namespace
}  // namespace statecpp
