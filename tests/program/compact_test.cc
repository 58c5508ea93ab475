// SPDX-License-Identifier: Apache-2.0
//
// `statecpp compact`: a store that nobody serves is written anew, in less room
// and without what was deleted.
#include <signal.h>

#include <filesystem>
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

// docs/operations.md promises these.
constexpr int kUsage = 2;
constexpr int kNotFound = 3;
constexpr int kDamaged = 5;
constexpr int kLockHeld = 73;

class CompactTest : public OfflineStoreTest {
 protected:
  ProgramOptions CompactOptions(std::vector<std::string> more = {}) const {
    return VerbOptionsWithKey("compact", std::move(more));
  }
  Outcome Compact(std::vector<std::string> more = {}) const {
    return RunToEnd(CompactOptions(std::move(more)));
  }
};

TEST_F(CompactTest, TakesLessRoomAfterDeletesAndSaysSo) {
  constexpr int kItems = 2000;
  MakeStore(kItems, 1500);
  Serve();
  {
    Client client(socket_path());
    wire::BulkDeleteRequest bulk;
    for (int i = 100; i < kItems; ++i) bulk.add_items()->set_key(KeyName(i));
    ASSERT_THAT(client.BulkDelete(bulk), Succeeds());
  }
  StopServing();
  const uint64_t before = fs::file_size(store() + "/data.mdb");
  EXPECT_THAT(Compact(), Exits(0, MatchesRegex("compacted orders: 100 records, "
                                               "[0-9.]+ MiB before, "
                                               "[0-9.]+ KiB now\n[^$]*")));
  EXPECT_LT(fs::file_size(store() + "/data.mdb"), before / 10);
  EXPECT_THAT(NamesIn(stores()), ElementsAre("orders"));
  ExpectServed({}, 100, 1500);
}

TEST_F(CompactTest, AServerThatRunsIsNamedAndGoesOn) {
  MakeStore();
  Serve();
  EXPECT_THAT(
      Compact(),
      Exits(kLockHeld,
            AllOf(HasSubstr(absl::StrCat("pid ", server().pid(), " on ")),
                  HasSubstr("stop the server"), HasSubstr("run this again"))));
  EXPECT_EQ(Client(socket_path()).ValueOf(KeyName(3)), Value(3, 100));
}

TEST_F(CompactTest, NoServerStartsMeanwhile) {
  constexpr int kItems = 600;
  constexpr size_t kSize = 100'000;
  MakeStore(kItems, kSize);
  Program compact(CompactOptions());
  ASSERT_TRUE(AwaitTrue([this] { return NamesIn(stores()).size() > 1; }));
  EXPECT_THAT(RunToEnd(ServeOptions()),
              Exits(kLockHeld, HasSubstr(absl::StrCat("pid ", compact.pid()))));
  EXPECT_EQ(compact.Wait(), 0) << compact.err();
  ExpectServed({}, kItems, kSize);
}

TEST_F(CompactTest, AStoreThatSomebodyElseHasIsRefused) {
  MakeStore();
  {
    const HeldStore held(store(), "pid 7 on elsewhere");
    EXPECT_THAT(Compact(), Exits(kLockHeld, HasSubstr("pid 7 on elsewhere")));
  }
  EXPECT_THAT(NamesIn(stores()), ElementsAre("orders"));
  EXPECT_THAT(Compact(), Exits(0, _));
}

TEST_F(CompactTest, MayBeInterruptedAndChangesNothing) {
  constexpr int kItems = 600;
  constexpr size_t kSize = 100'000;
  MakeStore(kItems, kSize);
  for (const int signal : {SIGINT, SIGTERM}) {
    ExpectInterrupted(CompactOptions(), signal);
  }
  ExpectServed({}, kItems, kSize);
}

TEST_F(CompactTest, WhatIsNotThereOrNotNamedIsNotMade) {
  EXPECT_THAT(RunToEnd({.arguments = {"compact"}}),
              Exits(kUsage, HasSubstr("--data-root")));
  EXPECT_THAT(Compact(), Exits(kNotFound, HasSubstr(data_root())));
  EXPECT_FALSE(fs::exists(data_root()));
}

TEST_F(CompactTest, ATruncatedStoreIsRefused) {
  MakeStore();
  fs::resize_file(store() + "/data.mdb", 8192);
  EXPECT_THAT(Compact(), Exits(kDamaged, HasSubstr("needs")));
  EXPECT_EQ(fs::file_size(store() + "/data.mdb"), 8192u);
}

}  // namespace
}  // namespace statecpp
