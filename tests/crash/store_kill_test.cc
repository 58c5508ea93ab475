// SPDX-License-Identifier: Apache-2.0
//
// The library, killed at any moment: while a store is made, opened, written by
// many threads, swept or enlarged. After each kill:
//
//   - every acknowledged write is there, and no write that was refused;
//   - a write without an answer is there whole or not at all, transactions over
//     two keys included;
//   - increments that many threads made of one number are all counted;
//   - no ETag was issued twice;
//   - the records are those that the accumulator knows.
//
// A ledger in shared memory knows what was begun and what was acknowledged.
// That it notices a store that breaks these is tested as well.
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crash/store_crash.h"
#include "tests/support/long_run.h"
#include "tests/support/memory_dir.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kCycles = 100;  // on each of two file systems
constexpr int kCyclesAtAPoint = 10;
constexpr int kCreations = 100;
// Fewer than these, and the test proved nothing. A small part of what a busy
// machine does.
constexpr uint64_t kLeastAcknowledged = 5 * kCycles;
constexpr int kLeastUnanswered = kCycles / 2;

void KillOftenIn(const std::string& folder, absl::string_view part) {
  const uint64_t seed = TestSeed();
  LongRun run("crash", part, seed);
  StoreCrash crash(folder, seed);
  uint64_t acknowledged = 0;
  int cycle = 0;
  for (; run.GoesOn(cycle, kCycles); ++cycle) {
    const bool after_opening = cycle % 4 != 0;
    ASSERT_NO_FATAL_FAILURE(
        crash.RunAndKill(absl::Milliseconds(60), after_opening));
    const std::vector<std::string> violations = crash.Check();
    run.Count("kills", 1);
    run.Count("acknowledged writes", crash.acknowledged() - acknowledged);
    acknowledged = crash.acknowledged();
    run.Found("false", violations.size());
    ASSERT_THAT(violations, IsEmpty()) << "in cycle " << cycle;
  }
  std::printf(
      "%d kills, %llu writes acknowledged; of those in hand %d came "
      "through and %d did not\n",
      cycle, static_cast<unsigned long long>(crash.acknowledged()),
      crash.came_through(), crash.came_to_nothing());
  EXPECT_GE(crash.acknowledged(), kLeastAcknowledged);
  // The kills came before commits and after them.
  EXPECT_GE(crash.came_through() + crash.came_to_nothing(), kLeastUnanswered);
  EXPECT_GT(crash.came_through(), 0);
  EXPECT_GT(crash.came_to_nothing(), 0);
}

TEST(StoreKillTest, LosesAndTearsNothingOnADisk) {
  const TempDir dir;
  KillOftenIn(dir.path(), "the library, on a disk");
}

// Where a sync costs nothing, so that a kill meets code instead of a wait.
TEST(StoreKillTest, LosesAndTearsNothingInMemory) {
  const MemoryDir dir;
  KillOftenIn(dir.path(), "the library, in memory");
}

TEST(StoreKillTest, AStoreKilledWhileItIsMadeIsMadeTheNextTime) {
  const TempDir dir;
  std::mt19937_64 random(TestSeed());
  int whole = 0;
  int begun = 0;
  for (int i = 0; i < kCreations; ++i) {
    const std::string folder = dir.Path(absl::StrCat(i));
    ASSERT_TRUE(std::filesystem::create_directory(folder));
    StoreCrash crash(folder, random());
    ASSERT_NO_FATAL_FAILURE(
        crash.RunAndKill(absl::Milliseconds(i % 2 == 0 ? 20 : 100),
                         /*after_opening=*/false));
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      ++(entry.path().filename() == "store" ? whole : begun);
    }
    ASSERT_THAT(crash.Check(), IsEmpty()) << "store " << i;
  }
  // Kills met all of it.
  std::printf("of %d stores %d were in place and %d were being made\n",
              kCreations, whole, begun);
  EXPECT_GT(whole, 0);
  EXPECT_GT(begun, 0);
}

// Between the steps of a commit, of a sweep and of an opening.
class StoreFailPointTest : public ::testing::TestWithParam<const char*> {};

TEST_P(StoreFailPointTest, LosesAndTearsNothing) {
  const MemoryDir dir;
  StoreCrash crash(dir.path(), TestSeed());
  std::mt19937_64 random(TestSeed());
  const bool at_opening = absl::StartsWith(GetParam(), "open.");
  ASSERT_NO_FATAL_FAILURE(crash.RunAndKill(absl::Milliseconds(60), true));
  ASSERT_THAT(crash.Check(), IsEmpty());
  for (int cycle = 0; cycle < kCyclesAtAPoint; ++cycle) {
    const int passage = at_opening ? 1 : static_cast<int>(1 + random() % 40);
    ASSERT_NO_FATAL_FAILURE(crash.RunToFailPoint(GetParam(), passage));
    ASSERT_THAT(crash.Check(), IsEmpty()) << "in cycle " << cycle;
  }
}

INSTANTIATE_TEST_SUITE_P(All, StoreFailPointTest,
                         ::testing::Values("open.before-commit", "open.durable",
                                           "commit.taken", "commit.written",
                                           "commit.durable", "commit.answered",
                                           "sweep.read", "sweep.durable"));

// Between the steps in which a store is made.
class CreationFailPointTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CreationFailPointTest, IsMadeTheNextTime) {
  const TempDir dir;
  StoreCrash crash(dir.path(), TestSeed());
  ASSERT_NO_FATAL_FAILURE(crash.RunToFailPoint(GetParam(), 1));
  ASSERT_THAT(crash.Check(), IsEmpty());
  ASSERT_NO_FATAL_FAILURE(crash.RunAndKill(absl::Milliseconds(20), true));
  ASSERT_THAT(crash.Check(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, CreationFailPointTest,
                         ::testing::Values("create.folder-made",
                                           "create.store-made", "create.synced",
                                           "create.moved", "create.done"));

class SabotageTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SabotageTest, IsNoticed) {
  const MemoryDir dir;
  StoreCrash crash(dir.path(), TestSeed());
  std::vector<std::string> violations;
  for (int cycle = 0; cycle < 30 && violations.empty(); ++cycle) {
    ASSERT_NO_FATAL_FAILURE(
        crash.RunSabotaged(absl::Milliseconds(60), GetParam()));
    violations = crash.Check();
  }
  EXPECT_THAT(violations, Not(IsEmpty()));
}

INSTANTIATE_TEST_SUITE_P(All, SabotageTest,
                         ::testing::Values("answer-before-the-commit",
                                           "count-no-records",
                                           "keep-the-deleted", "lose-updates",
                                           "reuse-etags", "tear-transactions"));

}  // namespace
}  // namespace statecpp
