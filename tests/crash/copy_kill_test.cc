// SPDX-License-Identifier: Apache-2.0
//
// A store that is compacted or sealed by a process that is killed at any
// moment. Afterwards:
//
//   - the path holds a whole store, the former or the new one, which opens with
//     that one's key and no other;
//   - every item is there, with its value and its ETag;
//   - where the new one is sealed, nothing in clear stays beside it when it is
//     opened;
//   - it can be done again, to the end.
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
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
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

using ::testing::AnyOf;

constexpr int kKills = 50;  // of each kind, on each of two file systems
constexpr int kItems = 400;

// From the folder in which Bazel runs tests.
constexpr char kCopier[] = "tests/crash/store_copier";
constexpr char kCopierWithFailPoints[] =
    "tests/crash/store_copier_with_fail_points";

class CopyKillTest : public ::testing::TestWithParam<CopyKind> {
 protected:
  CopyKillTest() : seed_(TestSeed()), random_(seed_) {
    const std::unique_ptr<Store> store =
        Store::Open(
            {.path = model_.Path("store"), .keys = KeysBefore(GetParam())})
            .value();
    std::vector<WriteOp> ops;
    for (int i = 0; i < kItems; ++i) {
      texts_.push_back(absl::StrCat("the secret of customer ", i, " is out"));
      keys_.push_back(absl::StrCat("customers||", i));
      ops.push_back(
          {.key = keys_.back(),
           .value = texts_.back() + std::string(i % 5 == 0 ? 20'000 : 100, 'v'),
           .ttl =
               i % 3 == 0 ? std::make_optional(absl::Hours(1)) : std::nullopt});
    }
    EXPECT_THAT(store->Transact(std::move(ops)), IsOk());
    items_ = ReadItems(*store, keys_);
  }

  // A fresh copy of the store in a folder of its own.
  std::string NewStore(const std::string& folder) {
    const std::string parent = absl::StrCat(folder, "/", ++stores_);
    EXPECT_TRUE(fs::create_directory(parent));
    fs::copy(model_.Path("store"), parent + "/store");
    former_inode_ = InodeOf(parent + "/store");
    return parent + "/store";
  }

  static ino_t InodeOf(const std::string& path) {
    struct stat found;
    EXPECT_EQ(stat((path + "/data.mdb").c_str(), &found), 0);
    return found.st_ino;
  }

  static std::vector<std::string> Words(const std::string& path,
                                        const char* program = kCopier) {
    return {program, GetParam() == CopyKind::kEncrypt ? "encrypt" : "compact",
            path, KeysAfter(GetParam()) == nullptr ? "plain" : "sealed"};
  }

  static void RunToTheEnd(const std::string& path) {
    EXPECT_EQ(Victim(Words(path)).Await(), "exit code 0");
  }

  absl::Duration TimeOne(const std::string& folder) {
    const std::string path = NewStore(folder);
    const absl::Time start = absl::Now();
    RunToTheEnd(path);
    return absl::Now() - start;
  }

  // Whether the store at the path is the new one.
  bool Check(const std::string& path) {
    const bool is_new = InodeOf(path) != former_inode_;
    const auto keys = is_new ? KeysAfter(GetParam()) : KeysBefore(GetParam());
    const absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = path, .keys = keys});
    EXPECT_THAT(store, IsOk()) << (is_new ? "the new one" : "the former one");
    if (!store.ok()) return is_new;
    ExpectItems(**store, items_);
    if (GetParam() == CopyKind::kEncrypt) {
      const std::string parent = fs::path(path).parent_path();
      EXPECT_EQ(CountFound(parent, texts_), is_new ? 0 : kItems);
    }
    return is_new;
  }

  void KillOftenIn(const std::string& folder, absl::string_view where) {
    LongRun run("crash", absl::StrCat(NameOf(GetParam()), ", ", where), seed_);
    const absl::Duration longest =
        1.1 * std::max({TimeOne(folder), TimeOne(folder), TimeOne(folder)});
    int former = 0;
    int aside = 0;
    int renewed = 0;
    int kill = 0;
    for (; run.GoesOn(kill, kKills); ++kill) {
      const std::string path = NewStore(folder);
      Victim copier(Words(path));
      absl::SleepFor(longest * std::uniform_real_distribution<>(0, 1)(random_));
      copier.Kill();
      // Or it has succeeded.
      EXPECT_THAT(copier.Await(), AnyOf("killed", "exit code 0"));
      aside += NamesIn(fs::path(path).parent_path()).size() > 1;
      ++(Check(path) ? renewed : former);
      run.Count("kills", 1);
      run.Found("false", HasFailure() ? 1 : 0);
      ASSERT_FALSE(HasFailure()) << "at kill " << kill;
      fs::remove_all(fs::path(path).parent_path());
    }
    std::printf(
        "%d kills in %s: %d left the former store, %d the new one, %d "
        "something aside\n",
        kill, absl::FormatDuration(longest).c_str(), former, renewed, aside);
    EXPECT_GT(former, 0);
    EXPECT_GT(renewed, 0);
    EXPECT_GT(aside, 0);
  }

  const MemoryDir model_;
  const uint64_t seed_;
  std::mt19937_64 random_;
  std::vector<std::string> keys_;
  std::vector<std::string> texts_;
  Items items_;
  int stores_ = 0;
  ino_t former_inode_ = 0;
};

INSTANTIATE_TEST_SUITE_P(All, CopyKillTest,
                         ::testing::Values(CopyKind::kCompactPlain,
                                           CopyKind::kCompactSealed,
                                           CopyKind::kEncrypt),
                         [](const auto& info) { return NameOf(info.param); });

TEST_P(CopyKillTest, LeavesAWholeStoreOnADisk) {
  const TempDir dir;
  KillOftenIn(dir.path(), "on a disk");
}

// Where a sync costs nothing, so that a kill meets code instead of a wait.
TEST_P(CopyKillTest, LeavesAWholeStoreInMemory) {
  const MemoryDir dir;
  KillOftenIn(dir.path(), "in memory");
}

// The store was made just now, so that its folder is as young as one that is
// being made.
TEST_P(CopyKillTest, AtEachFailPoint) {
  const MemoryDir dir;
  for (const char* point : {"copy.folder-made", "copy.written", "copy.checked",
                            "copy.synced", "copy.exchanged", "copy.durable"}) {
    SCOPED_TRACE(point);
    const std::string path = NewStore(dir.path());
    const std::string parent = fs::path(path).parent_path();
    Victim copier(Words(path, kCopierWithFailPoints), {AtFailPoint(point, 1)});
    EXPECT_EQ(copier.Await(), "killed");
    EXPECT_EQ(NamesIn(parent).size(), 2u);
    const bool is_new = point == absl::string_view("copy.exchanged") ||
                        point == absl::string_view("copy.durable");
    EXPECT_EQ(Check(path), is_new);
    // The former store is removed at once; a copy may be one that is made now.
    EXPECT_EQ(NamesIn(parent).size(), is_new ? 1u : 2u);
    // What was sealed is not sealed again.
    if (is_new && GetParam() == CopyKind::kEncrypt) continue;
    RunToTheEnd(path);
    former_inode_ = 0;
    EXPECT_TRUE(Check(path));
  }
}

}  // namespace
}  // namespace statecpp
