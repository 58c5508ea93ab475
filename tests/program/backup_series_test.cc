// SPDX-License-Identifier: Apache-2.0
//
// `statecpp backup --into`: one backup after the other in a folder, as what
// runs it daily has them made.
#include <signal.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/offline_store.h"
#include "tests/program/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::_;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

// docs/operations.md promises these.
constexpr int kUsage = 2;
constexpr int kNotFound = 3;
constexpr int kDamaged = 5;

class BackupSeriesTest : public OfflineStoreTest {
 protected:
  ProgramOptions IntoOptions(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"--into", backups_.path(), "--quiet"});
    return VerbOptions("backup", std::move(more));
  }
  Outcome BackUpInto(std::vector<std::string> more = {}) const {
    return RunToEnd(IntoOptions(std::move(more)));
  }

  void BackUpAs(const std::string& name) const {
    EXPECT_THAT(RunToEnd(VerbOptions(
                    "backup", {backups_.Path(name), "--store", "orders"})),
                Exits(0, _));
  }

  void ExpectWhole(const std::string& name) const {
    std::vector<std::string> arguments = {"verify", "--store-path",
                                          backups_.Path(name)};
    if (TestsAreSealed()) {
      arguments.insert(arguments.end(), {"--key-file", key_file()});
    }
    EXPECT_THAT(RunToEnd({.arguments = arguments}),
                Exits(0, HasSubstr("is whole")));
  }

  // A second store beside `orders`, which comes before it by name.
  void MakeCopy() {
    Client copy(socket_path(), "copy");
    copy.MustInit({{"dataDir", "a/copy"}});
    ASSERT_THAT(copy.SetKey("k", "1"), Succeeds());
  }

  static std::string NameAt(const std::string& store, absl::Time time) {
    return absl::StrCat(
        store, "-",
        absl::FormatTime("%E4Y%m%dT%H%M%SZ", time, absl::UTCTimeZone()));
  }

  const TempDir backups_;
};

constexpr char kOfOrders[] = "orders-[0-9]{8}T[0-9]{6}Z";

TEST_F(BackupSeriesTest, EachHasANameOfItsOwn) {
  MakeStore(50);
  Serve();
  EXPECT_THAT(BackUpInto(), Exits(0, HasSubstr("50 records")));
  EXPECT_THAT(BackUpInto(), Exits(0, HasSubstr("50 records")));
  const std::vector<std::string> names = NamesIn(backups_.path());
  ASSERT_THAT(names,
              ElementsAre(MatchesRegex(kOfOrders), MatchesRegex(kOfOrders)));
  for (const std::string& name : names) ExpectWhole(name);
}

TEST_F(BackupSeriesTest, TheLatestAreKept) {
  MakeStore(50);
  const absl::Time now = absl::Now();
  Serve();
  for (const int hours : {72, 48, 24}) {
    BackUpAs(NameAt("orders", now - absl::Hours(hours)));
  }
  BackUpAs("mine");
  // Nobody's backup, whatever its name.
  const std::string folder = NameAt("orders", now - absl::Hours(96));
  fs::create_directory(backups_.Path(folder));
  EXPECT_THAT(BackUpInto({"--keep", "2"}),
              Exits(0, HasSubstr("removed 2 earlier backups of orders")));
  EXPECT_THAT(
      NamesIn(backups_.path()),
      ElementsAre("mine", folder, NameAt("orders", now - absl::Hours(24)),
                  MatchesRegex(kOfOrders)));
}

// Made anew meanwhile, say.
TEST_F(BackupSeriesTest, WhatCannotBeGoneOnWithIsLeftAndOneIsBegun) {
  MakeStore(50);
  Serve();
  MakeCopy();
  const std::string name = NameAt("orders", absl::Now() - absl::Hours(1));
  EXPECT_THAT(RunToEnd(VerbOptions("backup",
                                   {backups_.Path(name), "--store", "a/copy"})),
              Exits(0, _));
  fs::rename(backups_.Path(name), backups_.Path(name + ".partial"));
  EXPECT_THAT(BackUpInto({"--store", "orders"}),
              Exits(0, HasSubstr("50 records")));
  EXPECT_THAT(NamesIn(backups_.path()),
              ElementsAre(name + ".partial", MatchesRegex(kOfOrders)));
}

TEST_F(BackupSeriesTest, WhereNoneIsMadeNoneIsRemoved) {
  MakeStore(50);
  const std::string old = NameAt("orders", absl::Now() - absl::Hours(24));
  const std::string older = NameAt("orders", absl::Now() - absl::Hours(48));
  fs::create_directory(backups_.Path(old));
  fs::create_directory(backups_.Path(older));
  EXPECT_THAT(BackUpInto({"--keep", "1", "--store", "none"}),
              Exits(kNotFound, _));
  fs::resize_file(store() + "/data.mdb", 100);
  Serve();
  EXPECT_THAT(BackUpInto({"--keep", "1"}), Exits(kDamaged, _));
  EXPECT_THAT(NamesIn(backups_.path()), ElementsAre(older, old));
}

TEST_F(BackupSeriesTest, AllStoresAreBackedUpButWhatCannotBe) {
  MakeStore(50);
  Serve();
  MakeCopy();
  EXPECT_THAT(BackUpInto({"--all"}),
              Exits(0, AllOf(HasSubstr("backed up a/copy to"),
                             HasSubstr("backed up orders to"))));
  EXPECT_THAT(NamesIn(backups_.path()),
              ElementsAre(MatchesRegex("a%2[Ff]copy-[0-9]{8}T[0-9]{6}Z"),
                          MatchesRegex(kOfOrders)));
  fs::create_directory(stores() + "/broken");
  const Outcome outcome = BackUpInto({"--all"});
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("backed up orders to"));
  EXPECT_EQ(NamesIn(backups_.path()).size(), 4u);
}

TEST_F(BackupSeriesTest, ADataRootWithoutStoresIsNoFailure) {
  Serve();
  EXPECT_THAT(BackUpInto({"--all"}),
              Exits(0, HasSubstr("there are no stores yet")));
}

TEST_F(BackupSeriesTest, WhatWasInterruptedIsGoneOnWith) {
  MakeStore(600, 100'000);
  Serve();
  std::string partial;
  {
    Program program(IntoOptions());
    ASSERT_TRUE(AwaitTrue([&] {
      const std::vector<std::string> names = NamesIn(backups_.path());
      if (!names.empty()) partial = names.front();
      return !names.empty();
    }));
    program.Signal(SIGINT);
    EXPECT_EQ(program.Wait(), 1);
  }
  ASSERT_THAT(partial, MatchesRegex(absl::StrCat(kOfOrders, "\\.partial")));
  EXPECT_THAT(BackUpInto(), Exits(0, HasSubstr("600 records")));
  const std::string made = partial.substr(0, partial.rfind('.'));
  EXPECT_THAT(NamesIn(backups_.path()), ElementsAre(made));
  ExpectWhole(made);
}

TEST_F(BackupSeriesTest, EveryMakesWhatIsDueUntilItIsToldToEnd) {
  MakeStore(50);
  Serve();
  MakeCopy();
  const std::string young = NameAt("a%2Fcopy", absl::Now() - absl::Minutes(1));
  fs::create_directory(backups_.Path(young));
  {
    Program hourly(IntoOptions({"--all", "--every", "1h"}));
    ASSERT_TRUE(AwaitTrue(
        [&] { return absl::StrContains(hourly.out(), "backed up orders"); }));
    hourly.Signal(SIGTERM);
    EXPECT_EQ(hourly.Wait(), 0);
  }
  EXPECT_THAT(NamesIn(backups_.path()),
              ElementsAre(young, MatchesRegex(kOfOrders)));

  const std::string first = NamesIn(backups_.path()).back();
  Program often(
      IntoOptions({"--store", "orders", "--every", "1s", "--keep", "2"}));
  ASSERT_TRUE(AwaitTrue([&] {
    return absl::StrContains(often.out(), "removed 1 earlier backups");
  }));
  often.Signal(SIGTERM);
  EXPECT_EQ(often.Wait(), 0);
  EXPECT_FALSE(fs::exists(backups_.Path(first)));
  EXPECT_TRUE(fs::exists(backups_.Path(young)));
}

TEST_F(BackupSeriesTest, EveryLeavesAStoreToItsServerAndWaitsForOne) {
  MakeStore(50);
  Program program(IntoOptions({"--every", "100ms"}));
  ASSERT_TRUE(program.AwaitLog("no server serves orders"));
  ASSERT_TRUE(program.AwaitLog("what failed is tried again in 100ms"));
  EXPECT_THAT(NamesIn(backups_.path()), IsEmpty());
  Serve();
  ASSERT_TRUE(AwaitTrue(
      [&] { return absl::StrContains(program.out(), "backed up orders"); }));
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
}

TEST_F(BackupSeriesTest, FlagsThatContradictEachOtherAreRefused) {
  MakeStore(50);
  const auto refused = [this](std::vector<std::string> more) {
    EXPECT_EQ(RunToEnd(VerbOptionsWithKey("backup", more)).exit_code, kUsage);
  };
  refused({"--all"});
  refused({"--keep", "2", backups_.Path("a")});
  refused({"--every", "1h", backups_.Path("a")});
  refused({"--into", backups_.path(), backups_.Path("a")});
  refused({"--into", backups_.path(), "--all", "--store", "orders"});
  refused({"--into", backups_.path(), "--keep", "0"});
  refused({"--into", backups_.path(), "--every", "0s"});
  refused({"--into", data_root()});
  EXPECT_THAT(
      RunToEnd(VerbOptionsWithKey("backup", {"--into", backups_.Path("none")})),
      Exits(kNotFound, HasSubstr(backups_.Path("none"))));
  EXPECT_THAT(NamesIn(backups_.path()), IsEmpty());
}

}  // namespace
}  // namespace statecpp
