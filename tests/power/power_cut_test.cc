// SPDX-License-Identifier: Apache-2.0
//
// Real file systems lose power while a process writes to a store on them. What
// was acknowledged must be there when they are mounted again.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/power/cut_disk.h"
#include "tests/power/cut_store.h"
#include "tests/support/long_run.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

constexpr int kCuts = 30;
// Fewer acknowledged writes than these in a test, and it proved nothing.
constexpr uint64_t kLeastAcknowledged = 5 * kCuts;
// So many cuts of a store that is never synced must lose something.
constexpr int kUnsyncedCuts = 10;

struct Case {
  const char* name;
  CutDisk::Kind kind;
};

const Case kCases[] = {
    {"Ext4", {"ext4", "data=ordered,commit=1"}},
    // The log is written out by syncs and by nothing else.
    {"Ext4WithALongCommit", {"ext4", "data=ordered,commit=1000"}},
    // Sizes may come before bytes.
    {"Ext4Writeback", {"ext4", "data=writeback,commit=1"}},
    {"Xfs", {"xfs", ""}},
};

class PowerCutTest : public ::testing::TestWithParam<Case> {
 protected:
  // Once more, with feeling for the moment of the cut.
  absl::Status CutOnce(CutDisk& disk, CutStore& store, bool swallow_syncs) {
    const bool after_opening = random_() % 4 != 0;
    store.StartWriter(random_(), swallow_syncs);
    if (after_opening) store.AwaitWriter();
    usleep(random_() % 40'000);
    absl::Status done = disk.CutPower();
    store.EndWriter();
    if (done.ok()) done = disk.Restart();
    return done;
  }

  const uint64_t seed_ = TestSeed();
  std::mt19937_64 random_{seed_};
};

TEST_P(PowerCutTest, LosesNothingThatWasAcknowledged) {
  const auto disk = CutDisk::Make(GetParam().kind);
  if (!disk.ok()) GTEST_SKIP() << disk.status().message();
  CutStore store((*disk)->path() + "/store");
  CutLedger& ledger = store.ledger();
  LongRun run("power", absl::StrCat("cuts, ", GetParam().name), seed_);
  int64_t cuts = 0;
  for (; run.GoesOn(cuts, kCuts, 0.25); ++cuts) {
    // Now and then it is the making of a store that is cut.
    if (cuts % 8 == 7) store.Forget();
    const absl::Status cut = CutOnce(**disk, store, /*swallow_syncs=*/false);
    EXPECT_THAT(cut, IsOk()) << "cut " << cuts;
    if (!cut.ok()) break;
    store.Check();
    EXPECT_STREQ(ledger.text, "") << "after cut " << cuts;
    if (ledger.text[0] != '\0') break;
  }
  run.Count("cuts", cuts);
  run.Count("acknowledged", ledger.acknowledged);
  run.Found("lost", ledger.lost);
  run.Found("torn", ledger.torn);
  run.Found("false", ledger.false_answers);
  std::printf("%lld cuts, %llu writes acknowledged\n",
              static_cast<long long>(cuts),
              static_cast<unsigned long long>(ledger.acknowledged));
  EXPECT_GE(ledger.acknowledged, kLeastAcknowledged);
}

TEST_P(PowerCutTest, AStoreThatIsNotSyncedIsSeenToLose) {
  const auto disk = CutDisk::Make(GetParam().kind);
  if (!disk.ok()) GTEST_SKIP() << disk.status().message();
  CutStore store((*disk)->path() + "/store");
  CutLedger& ledger = store.ledger();
  // It is made as it should be.
  ASSERT_THAT(CutOnce(**disk, store, /*swallow_syncs=*/false), IsOk());
  store.Check();
  ASSERT_STREQ(ledger.text, "");
  int cuts = 0;
  while (ledger.lost == 0 && cuts < kUnsyncedCuts) {
    ++cuts;
    ASSERT_THAT(CutOnce(**disk, store, /*swallow_syncs=*/true), IsOk());
    store.Check();
  }
  std::printf("after %d cuts: %s\n", cuts, ledger.text);
  EXPECT_GT(ledger.lost, 0u);
}

INSTANTIATE_TEST_SUITE_P(On, PowerCutTest, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace statecpp
