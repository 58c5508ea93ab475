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
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
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
#include "tests/support/copied_store.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_seed.h"

extern char** environ;

namespace statecpp {
namespace {

namespace fs = std::filesystem;

constexpr int kKills = 50;  // of each kind, on each of two file systems
constexpr int kItems = 400;

// From the folder in which Bazel runs tests.
constexpr char kCopierBinary[] = "tests/crash/store_copier";

class CopyKillTest : public ::testing::TestWithParam<CopyKind> {
 protected:
  CopyKillTest() : random_(TestSeed()) {
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

  pid_t Start(const std::string& path, const std::string& die = "") {
    std::vector<std::string> words = {
        kCopierBinary, GetParam() == CopyKind::kEncrypt ? "encrypt" : "compact",
        path, KeysAfter(GetParam()) == nullptr ? "plain" : "sealed"};
    if (!die.empty()) words.push_back(die);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t copier = 0;
    EXPECT_EQ(posix_spawn(&copier, kCopierBinary, nullptr, nullptr,
                          arguments.data(), environ),
              0);
    return copier;
  }

  // The signal that ended it; 0 if it succeeded.
  static int Await(pid_t copier) {
    int status = 0;
    EXPECT_EQ(waitpid(copier, &status, 0), copier);
    if (WIFSIGNALED(status)) return WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    return 0;
  }

  absl::Duration TimeOne(const std::string& folder) {
    const std::string path = NewStore(folder);
    const absl::Time start = absl::Now();
    EXPECT_EQ(Await(Start(path)), 0);
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

  void KillOftenIn(const std::string& folder) {
    const absl::Duration longest =
        1.1 * std::max({TimeOne(folder), TimeOne(folder), TimeOne(folder)});
    int former = 0;
    int aside = 0;
    int renewed = 0;
    for (int kill = 0; kill < kKills; ++kill) {
      const std::string path = NewStore(folder);
      const pid_t copier = Start(path);
      absl::SleepFor(longest * std::uniform_real_distribution<>(0, 1)(random_));
      ::kill(copier, SIGKILL);
      Await(copier);
      aside += NamesIn(fs::path(path).parent_path()).size() > 1;
      ++(Check(path) ? renewed : former);
      ASSERT_FALSE(HasFailure()) << "at kill " << kill;
      fs::remove_all(fs::path(path).parent_path());
    }
    std::printf(
        "%d kills in %s: %d left the former store, %d the new one, %d "
        "something aside\n",
        kKills, absl::FormatDuration(longest).c_str(), former, renewed, aside);
    EXPECT_GT(former, 0);
    EXPECT_GT(renewed, 0);
    EXPECT_GT(aside, 0);
  }

  const MemoryDir model_;
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
  KillOftenIn(dir.path());
}

// Where a sync costs nothing, so that a kill meets code instead of a wait.
TEST_P(CopyKillTest, LeavesAWholeStoreInMemory) {
  const MemoryDir dir;
  KillOftenIn(dir.path());
}

// The store was made just now, so that its folder is as young as one that is
// being made.
TEST_P(CopyKillTest, AtTheMomentOfTheExchange) {
  const MemoryDir dir;
  for (const char* die : {"die-before", "die-after"}) {
    const std::string path = NewStore(dir.path());
    const std::string parent = fs::path(path).parent_path();
    EXPECT_EQ(Await(Start(path, die)), SIGKILL);
    EXPECT_EQ(NamesIn(parent).size(), 2u);
    const bool is_new = std::string(die) == "die-after";
    EXPECT_EQ(Check(path), is_new) << die;
    // The former store is removed at once; a copy may be one that is made now.
    EXPECT_EQ(NamesIn(parent).size(), is_new ? 1u : 2u) << die;
  }
}

TEST_P(CopyKillTest, MayBeDoneAgainToTheEnd) {
  const MemoryDir dir;
  const std::string path = NewStore(dir.path());
  EXPECT_EQ(Await(Start(path, "die-before")), SIGKILL);
  EXPECT_EQ(Await(Start(path)), 0);
  EXPECT_TRUE(Check(path));
}

}  // namespace
}  // namespace statecpp
