// SPDX-License-Identifier: Apache-2.0
//
// The exploration is worth what it would find: a disk that breaks one of the
// promises that everything stands on, or a store that acknowledges what it did
// not do, is caught. How many states broke is printed.
#include <cstdio>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/power/explorer.h"
#include "tests/power/workload.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

struct Lied {
  const char* name;
  const char* workload;
  Disk::Promises promises = {};
  NotedStore::Lie lie = NotedStore::Lie::kNone;
  // What it must be caught by, among others.
  Wrong caught_by = Wrong::kLost;
};

const Lied kLies[] = {
    {"FdatasyncDoesNothing", "sets", {.lie = Disk::Lie::kSyncsNoData}},
    {"NamesAreNotSynced", "make", {.lie = Disk::Lie::kSyncsNoNames}},
    {"NamesAreNotSyncedOfACopy",
     "compaction",
     {.lie = Disk::Lie::kSyncsNoNames}},
    {"NamesComeBeforeData", "make", {.lie = Disk::Lie::kSyncsAfterNames}},
    {"SectorsAreTornIn64Bytes", "sets", {.sector = 64}},
    {"AcknowledgedBeforeTheCommit",
     "sets",
     {},
     NotedStore::Lie::kAcknowledgeFirst},
    {"TransactionsAreTorn",
     "transactions",
     {},
     NotedStore::Lie::kTearTransactions,
     Wrong::kTorn},
};

class LiesTest : public ::testing::TestWithParam<Lied> {
 protected:
  // How many states of a work that is drawn by `seed` broke as expected.
  static uint64_t CountCaught(const Lied& lied, uint64_t seed) {
    const absl::StatusOr<RecordedWork> work =
        Record(lied.workload, seed, lied.lie);
    EXPECT_THAT(work, IsOk());
    if (!work.ok()) return 0;
    const Explored explored = Explore(
        *work, {.seed = seed, .choices = 10, .promises = lied.promises});
    std::printf("%s: %llu states, %llu lost, %llu torn, %llu false; %s\n",
                lied.name, static_cast<unsigned long long>(explored.states),
                static_cast<unsigned long long>(explored.lost),
                static_cast<unsigned long long>(explored.torn),
                static_cast<unsigned long long>(explored.false_answers),
                explored.first_text.c_str());
    return lied.caught_by == Wrong::kTorn ? explored.torn : explored.lost;
  }
};

TEST_P(LiesTest, AreCaught) {
  // Sectors that are torn finely break so few states that a drawing may have
  // none of them: about one in twenty.
  constexpr uint64_t kDrawings = 5;
  const uint64_t seed = TestSeed();
  uint64_t caught = 0;
  for (uint64_t i = 0; i < kDrawings && caught == 0; ++i) {
    caught = CountCaught(GetParam(), seed + i);
  }
  EXPECT_GT(caught, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, LiesTest, ::testing::ValuesIn(kLies),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace statecpp
