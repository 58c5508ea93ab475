// SPDX-License-Identifier: Apache-2.0
//
// `statecpp encrypt`: a store that was in clear is sealed while nobody serves
// it, and served again.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/held_store.h"
#include "tests/program/offline_store.h"
#include "tests/program/program.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::_;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// docs/operations.md promises these.
constexpr int kUsage = 2;
constexpr int kNotFound = 3;
constexpr int kDamaged = 5;
constexpr int kKeyRefused = 7;
constexpr int kLockHeld = 73;

class EncryptTest : public OfflineStoreTest {
 protected:
  std::vector<std::string> WithKey() const {
    return {"--key-file", key_file()};
  }
  Outcome Encrypt(std::vector<std::string> more) const {
    return RunToEnd(VerbOptions("encrypt", std::move(more)));
  }
  Outcome Encrypt() const { return Encrypt(WithKey()); }

  // Texts of items that stand in the data root.
  int ClearTexts() const {
    std::string bytes;
    for (const auto& entry : fs::recursive_directory_iterator(data_root())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(file), {});
    }
    int found = 0;
    for (int i = 0; i < 50; ++i) {
      found += bytes.find(KeyName(i)) != bytes.npos;
      found += bytes.find(absl::StrCat("clear text of ", i)) != bytes.npos;
    }
    return found;
  }
};

TEST_F(EncryptTest, SealsAStoreThatAServerWithTheKeyThenServes) {
  MakeStore();
  EXPECT_EQ(ClearTexts(), 100);
  EXPECT_THAT(Encrypt(),
              Exits(0, AllOf(HasSubstr("sealed orders: 50 records, "),
                             HasSubstr("      - name: encryption\n"
                                       "        value: \"off\"\n"),
                             HasSubstr("key file " + key_file()),
                             HasSubstr("serve --data-root " + data_root()),
                             HasSubstr("encryption is required for orders"),
                             HasSubstr("snapshots and backups"))));
  EXPECT_EQ(ClearTexts(), 0);
  EXPECT_THAT(NamesIn(stores()), ElementsAre("orders"));
  ExpectServed(WithKey());
}

TEST_F(EncryptTest, ADaprdThatConfiguresItAnewIsServedAsWell) {
  MakeStore();
  Serve();
  const std::string etag = Client(socket_path()).ETagOf(KeyName(7));
  StopServing();
  ASSERT_THAT(Encrypt(), Exits(0, _));
  Serve(WithKey());
  Client client(socket_path());
  EXPECT_THAT(client.Init({{"encryption", "off"}}),
              FailsWith(grpc::StatusCode::INVALID_ARGUMENT, _));
  EXPECT_THAT(client.Init({}), Succeeds());
  EXPECT_EQ(client.ETagOf(KeyName(7)), etag);
  EXPECT_THAT(client.SetKey("new", "1"), Succeeds());
}

TEST_F(EncryptTest, AServerWithoutTheKeyServesNothingOfIt) {
  MakeStore();
  ASSERT_THAT(Encrypt(), Exits(0, _));
  Serve();
  EXPECT_THAT(Client(socket_path()).GetKey(KeyName(1)), Not(Succeeds()));
}

TEST_F(EncryptTest, WithoutAKeyItSaysHowToMakeOne) {
  MakeStore();
  const std::string before = Data();
  EXPECT_THAT(Encrypt({}),
              Exits(kKeyRefused, AllOf(HasSubstr("statecpp keygen"),
                                       HasSubstr("nothing was changed"))));
  EXPECT_TRUE(Data() == before);
}

TEST_F(EncryptTest, AServerThatRunsIsNamedAndGoesOn) {
  MakeStore();
  Serve();
  EXPECT_THAT(
      Encrypt(),
      Exits(kLockHeld,
            AllOf(HasSubstr(absl::StrCat("pid ", server().pid(), " on ")),
                  HasSubstr("stop the server"), HasSubstr("run this again"))));
  EXPECT_EQ(Client(socket_path()).ValueOf(KeyName(3)), Value(3, 100));
}

TEST_F(EncryptTest, AnEmbeddedStoreIsNamedByItsFolder) {
  MakeStore();
  fs::rename(store(), dir_.Path("embedded"));
  const ProgramOptions options = {.arguments = {"encrypt", "--store-path",
                                                dir_.Path("embedded"),
                                                "--key-file", key_file()}};
  {
    const HeldStore held(dir_.Path("embedded"), "pid 7 on elsewhere");
    EXPECT_THAT(RunToEnd(options),
                Exits(kLockHeld, AllOf(HasSubstr("pid 7 on elsewhere"),
                                       HasSubstr("the program that has it"))));
  }
  EXPECT_THAT(
      RunToEnd(options),
      Exits(0, AllOf(HasSubstr("sealed " + dir_.Path("embedded")),
                     HasSubstr("Options::keys"), Not(HasSubstr("YAML")))));
  fs::rename(dir_.Path("embedded"), store());
  EXPECT_EQ(ClearTexts(), 0);
}

TEST_F(EncryptTest, ASecondTimeIsNoErrorWithTheSameKey) {
  MakeStore();
  ASSERT_THAT(Encrypt(), Exits(0, _));
  const std::string before = Data();
  EXPECT_THAT(Encrypt(), Exits(0, AllOf(HasSubstr("is sealed already"),
                                        HasSubstr("nothing was changed"))));
  const std::string other = dir_.Path("other.key");
  std::ofstream(other) << std::string(32, 'o') + std::string(32, 'p');
  std::ofstream(other) << "0123456789abcdef0123456789abcdef"
                          "0123456789abcdef0123456789abcdee";
  ASSERT_EQ(chmod(other.c_str(), 0600), 0);
  EXPECT_THAT(Encrypt({"--key-file", other}),
              Exits(kKeyRefused, AllOf(HasSubstr("test"), HasSubstr("other"))));
  EXPECT_TRUE(Data() == before);
}

TEST_F(EncryptTest, WhatWasSealedIsCompactedByWhoHasTheKey) {
  MakeStore();
  ASSERT_THAT(Encrypt(), Exits(0, _));
  const std::string before = Data();
  EXPECT_THAT(RunToEnd(VerbOptions("compact")),
              Exits(kKeyRefused, AllOf(HasSubstr("sealed for: test"),
                                       HasSubstr("nothing was"))));
  EXPECT_TRUE(Data() == before);
  EXPECT_THAT(RunToEnd(VerbOptions("compact", WithKey())),
              Exits(0, HasSubstr("compacted orders: 50 records")));
  ExpectServed(WithKey());
}

// As when it was killed after the store was sealed.
TEST_F(EncryptTest, ASecondTimeChangesWhatIsRemembered) {
  MakeStore();
  const std::string file = data_root() + "/instances/orders.json";
  fs::copy(file, dir_.Path("saved"));
  ASSERT_THAT(Encrypt(), Exits(0, _));
  fs::copy(dir_.Path("saved"), file, fs::copy_options::overwrite_existing);
  EXPECT_THAT(Encrypt(), Exits(0, HasSubstr("required for orders")));
  ExpectServed(WithKey());
}

TEST_F(EncryptTest, OtherInstancesAreRememberedAsTheyWere) {
  Serve();
  Client(socket_path(), "first").MustInit({{"dataDir", "orders"}});
  Client(socket_path(), "orders").MustInit({{"maxSize", "20Gi"}});
  Client(socket_path(), "others").MustInit();
  ASSERT_THAT(Client(socket_path(), "others").SetKey("a", "plain"), Succeeds());
  StopServing();
  const auto remembered = [this](const std::string& name) {
    std::ifstream file(data_root() + "/instances/" + name + ".json");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string others = remembered("others");
  EXPECT_THAT(Encrypt({"--store", "orders", "--key-file", key_file()}),
              Exits(0, HasSubstr("required for first, orders\n")));
  EXPECT_EQ(remembered("others"), others);
  EXPECT_THAT(remembered("first"),
              AllOf(HasSubstr("dataDir"), Not(HasSubstr("encryption"))));
  EXPECT_THAT(remembered("orders"),
              AllOf(HasSubstr("20Gi"), Not(HasSubstr("encryption"))));
  Serve(WithKey());
  EXPECT_EQ(Client(socket_path(), "others").ValueOf("a"), "plain");
}

TEST_F(EncryptTest, ShowsHowFarItIsUnlessToldNotTo) {
  MakeStore();
  const Outcome shown = Encrypt();
  EXPECT_THAT(shown.err, MatchesRegex("(statecpp: [^\n]*\n)?"
                                      "(looking: [^\n]*\n)?"
                                      "sorting: 50 of 50 records [^\n]*\n"
                                      "copying: 50 of 50 records [^\n]*\n"
                                      "checking: 50 of 50 records [^\n]*\n"));
  fs::remove_all(data_root());
  MakeStore();
  const Outcome quiet = Encrypt({"--quiet", "--key-file", key_file()});
  EXPECT_THAT(quiet, Exits(0, HasSubstr("sealed orders")));
  EXPECT_THAT(quiet.err, Not(HasSubstr("copying")));
}

TEST_F(EncryptTest, MayBeInterruptedAndChangesNothing) {
  constexpr int kItems = 600;
  constexpr size_t kSize = 100'000;
  MakeStore(kItems, kSize);
  for (const int signal : {SIGINT, SIGTERM}) {
    ExpectInterrupted(VerbOptions("encrypt", WithKey()), signal);
  }
  ExpectServed({}, kItems, kSize);
}

TEST_F(EncryptTest, WhatIsNotThereOrNotNamedIsNotMade) {
  EXPECT_THAT(RunToEnd({.arguments = {"encrypt", "--key-file", key_file()}}),
              Exits(kUsage, HasSubstr("--data-root")));
  EXPECT_THAT(Encrypt(), Exits(kNotFound, HasSubstr(data_root())));
  EXPECT_FALSE(fs::exists(data_root()));
  MakeStore();
  EXPECT_THAT(Encrypt({"--store", "others", "--key-file", key_file()}),
              Exits(kNotFound, HasSubstr("orders")));
}

TEST_F(EncryptTest, ADamagedStoreIsLeftAsItIs) {
  MakeStore();
  std::string data = Data();
  for (size_t at = data.find("clear text of 7."); at != data.npos;
       at = data.find("clear text of 7.", at)) {
    data[at] = 'C';
  }
  std::ofstream(store() + "/data.mdb", std::ios::binary) << data;
  EXPECT_THAT(Encrypt(),
              Exits(kDamaged, AllOf(HasSubstr("statecpp verify"),
                                    HasSubstr("nothing was changed"))));
  EXPECT_TRUE(Data() == data);
}

// As an operator would whose server has a user of its own.
TEST_F(EncryptTest, RootLeavesAllToItsOwner) {
  if (!CanBecomeNobody()) GTEST_SKIP() << "this process may not setuid";
  ASSERT_EQ(chmod(dir_.path().c_str(), 0777), 0);
  GiveKeyTo(kNobody);
  const auto serve = [this](std::vector<std::string> more) {
    ProgramOptions options = ServeOptions(std::move(more));
    options.uid = kNobody;
    return options;
  };
  {
    Program server(serve({}));
    ASSERT_TRUE(server.AwaitLog("ready: "));
    Client client(socket_path());
    client.MustInit();
    ASSERT_THAT(client.SetKey("a", "1"), Succeeds());
    server.Signal(SIGTERM);
    ASSERT_EQ(server.Wait(), 0);
  }
  ASSERT_THAT(Encrypt({"--allow-loose-key-file", "--key-file", key_file()}),
              Exits(0, _));
  for (const auto& entry : fs::recursive_directory_iterator(data_root())) {
    struct stat found;
    ASSERT_EQ(lstat(entry.path().c_str(), &found), 0);
    EXPECT_EQ(found.st_uid, kNobody) << entry.path();
  }
  Program server(serve(WithKey()));
  ASSERT_TRUE(server.AwaitLog("ready: "));
  EXPECT_EQ(Client(socket_path()).ValueOf("a"), "1");
}

}  // namespace
}  // namespace statecpp
