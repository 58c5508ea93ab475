// SPDX-License-Identifier: Apache-2.0
//
// `statecpp verify`: every record of a store is looked at, beside the server
// that has the store and without one.
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
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
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// docs/operations.md promises these.
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kNotFound = 3;
constexpr int kDamaged = 5;
constexpr int kKeyRefused = 7;
constexpr int kLockHeld = 73;

class VerifyTest : public OfflineStoreTest {
 protected:
  ProgramOptions VerifyOptions(std::vector<std::string> more = {}) const {
    return VerbOptionsWithKey("verify", std::move(more));
  }
  Outcome Verify(std::vector<std::string> more = {}) const {
    return RunToEnd(VerifyOptions(std::move(more)));
  }
  // Beside a server the verb needs no key.
  Outcome VerifyServed(std::vector<std::string> more = {}) const {
    return RunToEnd(VerbOptions("verify", std::move(more)));
  }

  // One item that takes most of the file, so that a byte in the midst of it can
  // be damaged without a thought for LMDB's pages.
  void MakeStoreOfOneLargeItem() {
    Serve();
    Client client(socket_path());
    client.MustInit();
    ASSERT_THAT(client.SetKey("large", std::string(kLargeSize, 'v')),
                Succeeds());
    ASSERT_THAT(client.SetKey("small", "1"), Succeeds());
    StopServing();
  }
  void DamageTheLargeItem() const {
    std::fstream file(store() + "/data.mdb",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(kLargeSize / 2);
    const char byte = static_cast<char>(file.get());
    file.seekp(kLargeSize / 2);
    file.put(static_cast<char>(byte ^ 1));
    ASSERT_TRUE(file.good());
  }

  // Until the verb takes its signals itself.
  static void AwaitStart(const Program& verify) {
    ASSERT_TRUE(AwaitTrue([&verify] {
      std::ifstream status(absl::StrCat("/proc/", verify.pid(), "/status"));
      const std::string text{std::istreambuf_iterator<char>(status), {}};
      const size_t mask = text.find("SigBlk:");
      return mask != std::string::npos &&
             text.substr(mask, text.find('\n', mask) - mask).back() != '0';
    }));
  }

 private:
  static constexpr size_t kLargeSize = 2 << 20;
};

TEST_F(VerifyTest, AWholeStoreIsCalledWholeWithItsFigures) {
  MakeStore(50);
  EXPECT_THAT(
      Verify(),
      Exits(0, AllOf(HasSubstr("orders: 50 records (0 expired, 0 damaged)"),
                     HasSubstr(": 50 records, 50 expected\n"),
                     HasSubstr("orders is whole\n"))));
  ExpectServed({});
}

TEST_F(VerifyTest, AServedStoreIsVerifiedByItsServerWithoutAKey) {
  MakeStore(50);
  Serve();
  EXPECT_EQ(Client(socket_path()).ValueOf(KeyName(3)), Value(3, 100));
  EXPECT_THAT(VerifyServed(), Exits(0, AllOf(HasSubstr("orders: 50 records"),
                                             HasSubstr("orders is whole\n"))));
  EXPECT_EQ(Client(socket_path()).ValueOf(KeyName(4)), Value(4, 100));
}

TEST_F(VerifyTest, SaysWhetherTheStoreIsSealed) {
  MakeStore(1);
  const auto in_clear = HasSubstr("in clear: not sealed");
  if (TestsAreSealed()) {
    EXPECT_THAT(Verify(), Exits(0, Not(in_clear)));
  } else {
    EXPECT_THAT(Verify(), Exits(0, in_clear));
    // A key that it has no use for does no harm.
    EXPECT_THAT(Verify({"--key-file", key_file()}), Exits(0, in_clear));
  }
}

TEST_F(VerifyTest, ADamagedRecordIsNamedByItsPlaceAndExitsFive) {
  MakeStoreOfOneLargeItem();
  DamageTheLargeItem();
  EXPECT_THAT(
      Verify(),
      Exits(kDamaged,
            AllOf(ContainsRegex("damaged record [0-9a-f]+: "),
                  HasSubstr("2 records (0 expired, 1 damaged)"),
                  HasSubstr("orders is DAMAGED: restore it from a backup"))));
}

TEST_F(VerifyTest, ADamagedRecordOfAServedStoreIsNamedAndTheRestIsServed) {
  MakeStoreOfOneLargeItem();
  DamageTheLargeItem();
  Serve();
  Client client(socket_path());
  EXPECT_EQ(client.ValueOf("small"), "1");
  EXPECT_EQ(client.GetKey("large").status.error_code(),
            grpc::StatusCode::DATA_LOSS);
  EXPECT_THAT(VerifyServed(),
              Exits(kDamaged, AllOf(ContainsRegex("damaged record [0-9a-f]+: "),
                                    HasSubstr("orders is DAMAGED"))));
  // To overwrite it mends it.
  ASSERT_THAT(client.SetKey("large", "new"), Succeeds());
  EXPECT_THAT(VerifyServed(), Exits(0, HasSubstr("orders is whole\n")));
}

TEST_F(VerifyTest, JsonIsOneObjectWithEveryFinding) {
  MakeStoreOfOneLargeItem();
  EXPECT_THAT(Verify({"--json"}).out,
              AllOf(HasSubstr("{\"store\": \"orders\", \"found\": [],"),
                    HasSubstr("\"clean\": true, \"complete\": true"),
                    HasSubstr("\"records\": 2")));
  DamageTheLargeItem();
  const Outcome damaged = Verify({"--json"});
  EXPECT_THAT(
      damaged,
      Exits(kDamaged, AllOf(ContainsRegex("\"kind\": \"damaged record\", "
                                          "\"place\": \"[0-9a-f]+\""),
                            HasSubstr("\"clean\": false, \"complete\": true"),
                            HasSubstr("\"damaged\": 1"))));
}

TEST_F(VerifyTest, WhatIsThereIsAcceptedOnlyWhenAskedForTwice) {
  MakeStoreOfOneLargeItem();
  DamageTheLargeItem();
  EXPECT_THAT(Verify({"--repair"}),
              Exits(kUsage, HasSubstr("--repair and --accept go together")));
  EXPECT_THAT(Verify({"--accept"}), Exits(kUsage, HasSubstr("go together")));
  EXPECT_THAT(Verify({"--drop-damaged"}),
              Exits(kUsage, HasSubstr("goes with")));
  EXPECT_THAT(Verify({"--repair", "--accept", "--quick"}),
              Exits(kUsage, HasSubstr("does not go with --quick")));
  EXPECT_THAT(Verify({"--repair", "--accept"}),
              Exits(kDamaged, HasSubstr("--drop-damaged")));
  EXPECT_THAT(Verify({"--repair", "--accept", "--drop-damaged"}),
              Exits(0, AllOf(HasSubstr("1 damaged records were removed"),
                             HasSubstr("orders is whole again"))));
  EXPECT_THAT(Verify(), Exits(0, HasSubstr("orders: 1 records")));
  Serve();
  Client client(socket_path());
  EXPECT_EQ(client.ValueOf("small"), "1");
  EXPECT_EQ(client.ValueOf("large"), "(none)");
}

TEST_F(VerifyTest, NothingIsRepairedBesideAServer) {
  MakeStore();
  Serve();
  EXPECT_THAT(VerifyServed({"--repair", "--accept"}),
              Exits(kLockHeld, AllOf(HasSubstr("stop it first"),
                                     HasSubstr("nothing was changed"))));
}

TEST_F(VerifyTest, AStoreThatSomebodyElseHasIsLeftToThem) {
  MakeStore();
  const HeldStore held(store(), "pid 7 on elsewhere");
  EXPECT_THAT(Verify(), Exits(kLockHeld, HasSubstr("pid 7 on elsewhere")));
}

TEST_F(VerifyTest, ASealedStoreNeedsItsKeyAndSaysWhichThatIs) {
  MakeStore();
  if (!TestsAreSealed()) {
    EXPECT_THAT(VerifyServed(), Exits(0, HasSubstr("not sealed")));
    return;
  }
  EXPECT_THAT(VerifyServed(), Exits(kKeyRefused, HasSubstr("sealed")));
  const std::string other = dir_.Path("other.key");
  EXPECT_THAT(RunToEnd({.arguments = {"keygen", other}}).exit_code, 0);
  EXPECT_THAT(VerifyServed({"--key-file", other}),
              Exits(kKeyRefused, AllOf(HasSubstr("sealed for: test"),
                                       HasSubstr("configured: other"))));
}

TEST_F(VerifyTest, AMissingStoreIsNotMade) {
  MakeStore();
  EXPECT_THAT(Verify({"--store", "nothing"}),
              Exits(kNotFound, HasSubstr("nothing")));
  EXPECT_FALSE(fs::exists(stores() + "/nothing"));
}

TEST_F(VerifyTest, ATruncatedFileIsDamage) {
  MakeStore(50);
  fs::resize_file(store() + "/data.mdb", 5000);
  EXPECT_THAT(Verify(), Exits(kDamaged, HasSubstr("data.mdb")));
}

TEST_F(VerifyTest, IsInterruptedInOrderWithAndWithoutAServer) {
  constexpr int kItems = 3000;
  constexpr size_t kSize = 30'000;
  MakeStore(kItems, kSize);
  {
    Program verify(VerifyOptions());
    AwaitStart(verify);
    verify.Signal(SIGINT);
    EXPECT_EQ(verify.Wait(), kFailed) << verify.out();
    EXPECT_THAT(verify.out(), Not(HasSubstr("whole")));
    EXPECT_THAT(verify.err(), HasSubstr("ended early (it was cancelled)"));
  }
  Serve();
  ASSERT_THAT(Client(socket_path()).ValueOf(KeyName(1)), Not(IsEmpty()));
  Program verify(VerbOptions("verify"));
  AwaitStart(verify);
  verify.Signal(SIGTERM);
  EXPECT_EQ(verify.Wait(), kFailed) << verify.out();
  EXPECT_THAT(verify.err(),
              HasSubstr("interrupted before the answer was complete; nothing "
                        "is known of the rest"));
  EXPECT_EQ(Client(socket_path()).ValueOf(KeyName(3)), Value(3, kSize));
  EXPECT_THAT(VerifyServed(), Exits(0, HasSubstr("orders is whole\n")));
}

}  // namespace
}  // namespace statecpp
