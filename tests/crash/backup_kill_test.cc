// SPDX-License-Identifier: Apache-2.0
//
// A backup whose process is killed at any moment. Afterwards:
//
//   - its path holds a whole backup or nothing at all;
//   - what is beside it opens as no store;
//   - the same backup goes on to its end, and has every item;
//   - the store is whole.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crash/victim.h"
#include "tests/support/copied_store.h"
#include "tests/support/long_run.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::ElementsAre;

constexpr int kKills = 50;
constexpr int kItems = 3000;

// From the folder in which Bazel runs tests.
constexpr char kBacker[] = "tests/crash/store_backer";
constexpr char kBackerWithFailPoints[] =
    "tests/crash/store_backer_with_fail_points";

class BackupKillTest : public ::testing::Test {
 protected:
  BackupKillTest() : seed_(TestSeed()), random_(seed_) {
    const auto store =
        Store::Open({.path = store_, .keys = TestKeys()}).value();
    std::vector<WriteOp> ops;
    std::vector<std::string> keys;
    for (int i = 0; i < kItems; ++i) {
      ops.push_back({.key = absl::StrCat("customers||", i),
                     .value = std::string(i % 5 == 0 ? 40'000 : 100, 'v')});
      // The first one goes on changing.
      if (i > 0) keys.push_back(ops.back().key);
    }
    EXPECT_THAT(store->Transact(std::move(ops)), IsOk());
    items_ = ReadItems(*store, keys);
  }

  std::vector<std::string> Words(const char* program = kBacker) const {
    return {program, store_, backup_, TestsAreSealed() ? "sealed" : "plain"};
  }

  absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path) const {
    return Store::Open({.path = path, .create = false, .keys = TestKeys()});
  }

  void ExpectWhole(const std::string& path) const {
    const auto store = Open(path);
    ASSERT_THAT(store, IsOk());
    EXPECT_THAT((*store)->CheckIntegrity(), IsOk());
    EXPECT_EQ((*store)->GetStats()->records, static_cast<uint64_t>(kItems));
    for (const auto& [key, item] : items_) {
      const auto found = (*store)->Get(key);
      ASSERT_THAT(found, IsOk()) << key;
      ASSERT_TRUE(found->has_value()) << key;
      ASSERT_EQ(Describe(key, **found), Describe(key, item));
    }
  }

  // Goes on to the end, and begins anew.
  void Finish() {
    if (!fs::exists(backup_)) {
      Victim backer(Words());
      ASSERT_EQ(backer.Await(), "exit code 0");
    }
    EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("backup", "store"));
    ASSERT_NO_FATAL_FAILURE(ExpectWhole(backup_));
    fs::remove_all(backup_);
  }

  const uint64_t seed_;
  std::mt19937_64 random_;
  const TempDir dir_;
  const std::string store_ = dir_.Path("store");
  const std::string backup_ = dir_.Path("backup");
  const std::string partial_ = dir_.Path("backup.partial");
  Items items_;
};

TEST_F(BackupKillTest, GoesOnAfterAnyKill) {
  LongRun run("crash", "backups", seed_);
  const absl::Time start = absl::Now();
  ASSERT_NO_FATAL_FAILURE(Finish());
  const absl::Duration longest = absl::Now() - start;
  int partial = 0;
  int kill = 0;
  for (; run.GoesOn(kill, kKills); ++kill) {
    Victim backer(Words());
    absl::SleepFor(longest * std::uniform_real_distribution<>(0, 1)(random_));
    backer.Kill();
    EXPECT_THAT(backer.Await(), AnyOf("killed", "exit code 0"));
    if (fs::exists(partial_)) ++partial;
    // Some are killed more than once on their way.
    if (fs::exists(backup_) || random_() % 3 == 0) {
      ASSERT_NO_FATAL_FAILURE(Finish());
    }
    run.Count("kills", 1);
    run.Found("false", HasFailure() ? 1 : 0);
    ASSERT_FALSE(HasFailure()) << "at kill " << kill;
  }
  std::printf("%d kills, %d left something to go on from\n", kill, partial);
  EXPECT_GT(partial, 0);
  ASSERT_NO_FATAL_FAILURE(Finish());
  ExpectWhole(store_);
}

TEST_F(BackupKillTest, AtEachFailPoint) {
  for (const char* point :
       {"backup.begun", "backup.written", "backup.closed", "backup.checked",
        "backup.finished", "backup.synced", "backup.moved"}) {
    SCOPED_TRACE(point);
    const bool is_moved = point == absl::string_view("backup.moved");
    // Of the first two: the store's id alone is written by then, and records.
    const int passage = point == absl::string_view("backup.written") ? 2 : 1;
    Victim backer(Words(kBackerWithFailPoints), {AtFailPoint(point, passage)});
    EXPECT_EQ(backer.Await(), "killed");
    EXPECT_EQ(fs::exists(backup_), is_moved);
    EXPECT_EQ(fs::exists(partial_), !is_moved);
    // No store before it is proved to be one.
    const bool is_proved = point == absl::string_view("backup.finished") ||
                           point == absl::string_view("backup.synced");
    if (!is_moved && !is_proved) {
      EXPECT_THAT(Open(partial_), HasCode(absl::StatusCode::kDataLoss));
    }
    ASSERT_NO_FATAL_FAILURE(Finish());
  }
  ExpectWhole(store_);
}

}  // namespace
}  // namespace statecpp
