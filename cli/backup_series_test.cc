// SPDX-License-Identifier: Apache-2.0
#include "cli/backup_series.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BackupSeriesTest : public ::testing::Test {
 protected:
  BackupSeriesTest() {
    for (const TempDir* store : {&store_, &other_}) {
      EXPECT_THAT(Store::Open({.path = store->Path("store")}), IsOk());
    }
  }

  // A backup is a store's folder like any other.
  void Make(const std::string& name) const { Copy(store_, name); }
  void MakeOfOther(const std::string& name) const { Copy(other_, name); }
  void Copy(const TempDir& of, const std::string& name) const {
    fs::copy(of.Path("store"), dir_.Path(name));
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_.path())) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string Free() const { return series_.FreePath(now_); }

  const absl::Time now_ = absl::FromCivil(
      absl::CivilSecond(2026, 11, 23, 4, 0, 0), absl::UTCTimeZone());
  const TempDir store_;
  const TempDir other_;
  const TempDir dir_;
  const BackupSeries series_{dir_.path(), "orders"};
};

TEST_F(BackupSeriesTest, ABackupIsCalledAfterItsStoreAndSecond) {
  EXPECT_EQ(Free(), dir_.Path("orders-20261123T040000Z"));
  Make("orders-20261123T040000Z");
  Make("orders-20261123T040001Z.partial");
  EXPECT_EQ(Free(), dir_.Path("orders-20261123T040002Z"));
}

TEST_F(BackupSeriesTest, TheLatestThatWasInterruptedIsGoneOnWith) {
  Make("orders-20261120T040000Z.partial");
  Make("orders-20261121T040000Z.partial");
  Make("orders-20261122T040000Z");
  Make("others-20261122T040000Z.partial");
  EXPECT_THAT(series_.InterruptedPath(),
              IsOkAndHolds(dir_.Path("orders-20261121T040000Z")));
}

// As where backups were copied elsewhere and back, and what was interrupted
// once with them.
TEST_F(BackupSeriesTest, WhatIsWholeByNowIsNotGoneOnWith) {
  EXPECT_THAT(series_.InterruptedPath(), IsOkAndHolds(std::nullopt));
  Make("orders-20261121T040000Z.partial");
  Make("orders-20261121T040000Z");
  EXPECT_THAT(series_.InterruptedPath(), IsOkAndHolds(std::nullopt));
}

TEST_F(BackupSeriesTest, TheLatestIsOfThoseThatAreWholeAndOfNoLaterTime) {
  EXPECT_EQ(series_.Latest(now_).value(), std::nullopt);
  Make("orders-20261120T040000Z");
  Make("orders-20261121T040000Z");
  Make("orders-20261122T040000Z.partial");
  Make("orders-20380119T031407Z");
  Make("orders-extra-20261122T040000Z");
  EXPECT_EQ(series_.Latest(now_).value(), now_ - absl::Hours(48));
  Make("orders-20261123T040000Z");
  EXPECT_EQ(series_.Latest(now_).value(), now_);
}

TEST_F(BackupSeriesTest, AllButTheLatestAreRemoved) {
  for (const int day : {19, 20, 21, 22}) {
    Make(absl::StrCat("orders-202611", day, "T040000Z"));
  }
  const auto kept = series_.KeepLatest(2, dir_.Path("orders-20261122T040000Z"));
  EXPECT_THAT(kept, IsOkAndHolds(size_t{2}));
  EXPECT_THAT(Names(), ElementsAre("orders-20261121T040000Z",
                                   "orders-20261122T040000Z"));
}

TEST_F(BackupSeriesTest, AnotherStoresOfTheSameNameAreLeft) {
  MakeOfOther("orders-20261119T040000Z");
  Make("orders-20261120T040000Z");
  MakeOfOther("orders-20261121T040000Z");
  Make("orders-20261122T040000Z");
  EXPECT_THAT(series_.KeepLatest(1, dir_.Path("orders-20261122T040000Z")),
              IsOkAndHolds(size_t{1}));
  EXPECT_THAT(Names(),
              ElementsAre("orders-20261119T040000Z", "orders-20261121T040000Z",
                          "orders-20261122T040000Z"));
}

TEST_F(BackupSeriesTest, OneThatSomebodyHasOpenIsLeftAndSaid) {
  for (const int day : {19, 20, 21, 22}) {
    Make(absl::StrCat("orders-202611", day, "T040000Z"));
  }
  const auto store =
      Store::Open({.path = dir_.Path("orders-20261120T040000Z")});
  ASSERT_THAT(store, IsOk());
  EXPECT_THAT(series_.KeepLatest(1, dir_.Path("orders-20261122T040000Z")),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("orders-20261120T040000Z")));
  EXPECT_THAT(Names(), ElementsAre("orders-20261120T040000Z",
                                   "orders-20261122T040000Z"));
}

TEST_F(BackupSeriesTest, ThatWhichWasJustMadeStaysWhateverTheClockSays) {
  Make("orders-20261123T040000Z");
  Make("orders-20380119T031407Z");
  EXPECT_THAT(series_.KeepLatest(1, dir_.Path("orders-20261123T040000Z")),
              IsOkAndHolds(size_t{0}));
  EXPECT_EQ(Names().size(), 2u);
}

TEST_F(BackupSeriesTest, NothingElseIsRemoved) {
  const std::vector<std::string> others = {"orders",
                                           "orders-1",
                                           "orders-20261119T040000",
                                           "orders-20261119T040000Z.partial",
                                           "orders-20261119T040000Zx",
                                           "orders-20261199T040000Z",
                                           "orders-extra-20261119T040000Z",
                                           "other",
                                           "other-20261119T040000Z"};
  for (const std::string& name : others) Make(name);
  std::ofstream(dir_.Path("orders-20261118T040000Z")) << "a file";
  fs::create_directory_symlink(dir_.Path("other"),
                               dir_.Path("orders-20261117T040000Z"));
  fs::create_directory(dir_.Path("orders-20261116T040000Z"));
  Make("orders-infinite-past");
  Make("orders-20261115T040000Z");
  const auto kept = series_.KeepLatest(1, dir_.Path("orders-20261115T040000Z"));
  EXPECT_THAT(kept, IsOkAndHolds(size_t{0}));
  EXPECT_EQ(Names().size(), others.size() + 5);
  EXPECT_TRUE(fs::exists(dir_.Path("other/data.mdb")));
}

TEST_F(BackupSeriesTest, AFolderThatIsNotThereIsAnError) {
  const BackupSeries none(dir_.Path("none"), "orders");
  EXPECT_THAT(none.Latest(now_), HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(none.InterruptedPath(), HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(none.KeepLatest(1, ""), HasCode(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace statecpp
