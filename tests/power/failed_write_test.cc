// SPDX-License-Identifier: Apache-2.0
//
// A write or a sync fails; the process ends; another one opens the store and
// answers; the power is cut. What it answered must be there: the cache may have
// shown what was not on the disk, and what Linux once failed to write it calls
// written.
#include <cstdio>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/power/explorer.h"
#include "tests/power/noted_store.h"
#include "tests/power/recorder.h"
#include "tests/power/workload.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

using Fault = Recorder::Fault;

constexpr std::pair<const char*, Fault> kFaults[] = {
    {"ADataWrite", Fault::kDataWrite},
    {"ASync", Fault::kSync},
    {"TheMetaWrite", Fault::kSyncedWrite},
    {"TheMetaWriteBeforeTheCache", Fault::kSyncedWriteUnmet},
    {"TheMetaWriteAndTheProcessThere", Fault::kSyncedWriteAndEnd},
};

// How many writes follow once the store is opened again.
constexpr int kWritesAfter[] = {0, 2};

// The fault, how many writes follow, and whether a sync forgets it.
using Failure = std::tuple<std::pair<const char*, Fault>, int, bool>;

// LMDB puts back a half of the former meta page, and the engine the whole of it
// with the very next call. That the cache was written out just between the two
// is left out: CheckLmdbFile would refuse that page, as it must.
void ForgetTheInstantBetween(Recording& recording) {
  for (size_t i = 0; i + 1 < recording.events.size(); ++i) {
    DiskEvent& half = recording.events[i];
    const DiskEvent& whole = recording.events[i + 1];
    if (half.kind != DiskEvent::Kind::kWrite || half.is_synced ||
        half.has_failed || whole.kind != half.kind || whole.node != half.node ||
        whole.offset > half.offset ||
        whole.offset + whole.bytes.size() != half.offset + half.bytes.size()) {
      continue;
    }
    half.bytes = whole.bytes.substr(half.offset - whole.offset);
  }
}

class FailedWriteTest : public ::testing::TestWithParam<Failure> {};

TEST_P(FailedWriteTest, WhatIsReadAfterItIsDurable) {
  const auto& [named, writes_after, forgets] = GetParam();
  const uint64_t seed = TestSeed();
  const MemoryDir dir;
  NotedStore store(dir.Path("store"));
  Recorder::Get().Start(dir.path());
  ASSERT_THAT(store.Open(TestKeys()), IsOk());
  for (int i = 0; i < 6; ++i) {
    ASSERT_THAT(store.Set(absl::StrCat("k", i % 4), 900 * i), IsOk());
  }
  Recorder::Get().FailNext(named.second, "data.mdb");
  EXPECT_THAT(store.Transact({"k0", "k1", "k7"}, 3000),
              HasCode(absl::StatusCode::kUnknown));
  store.Close();
  ASSERT_TRUE(Recorder::Get().Restart()) << "nothing failed";
  ASSERT_THAT(store.Open(TestKeys()), IsOk());
  ASSERT_THAT(store.ReadAll(), IsOk());
  for (int i = 0; i < writes_after; ++i) {
    ASSERT_THAT(store.Set("k2", 100), IsOk());
  }
  store.Close();
  RecordedWork work = {.workload = "failed write",
                       .seed = seed,
                       .recording = Recorder::Get().Stop(),
                       .notes = store.notes(),
                       .keys = {{.keys = TestKeys()}}};
  ForgetTheInstantBetween(work.recording);
  const Explored explored = Explore(
      work,
      {.seed = seed, .choices = 12, .promises = {.forgets_failed = forgets}});
  std::printf("%llu cuts, %llu states\n",
              static_cast<unsigned long long>(explored.cuts),
              static_cast<unsigned long long>(explored.states));
  EXPECT_EQ(explored.wrong(), 0u)
      << "cut " << explored.first.cut << " of " << work.recording.events.size()
      << ", choice " << explored.first.choice << ": " << explored.first_text;
}

std::string NameOf(const ::testing::TestParamInfo<Failure>& info) {
  const auto& [named, writes_after, forgets] = info.param;
  return absl::StrCat(named.first, "And", writes_after, "Writes",
                      forgets ? "WhichIsForgotten" : "");
}

INSTANTIATE_TEST_SUITE_P(Of, FailedWriteTest,
                         ::testing::Combine(::testing::ValuesIn(kFaults),
                                            ::testing::ValuesIn(kWritesAfter),
                                            ::testing::Bool()),
                         NameOf);

}  // namespace
}  // namespace statecpp
