// SPDX-License-Identifier: Apache-2.0
//
// What a store says of itself to whoever watches it.
#include "engine/store_figures.h"

#include <numeric>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/open_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class StoreFiguresTest : public OpenStoreTest {
 protected:
  StoreFigures Figures() {
    absl::StatusOr<StoreFigures> figures = store_->GetFigures();
    EXPECT_THAT(figures, IsOk());
    return *std::move(figures);
  }
  void Set(std::string key, std::optional<absl::Duration> ttl = std::nullopt) {
    EXPECT_THAT(store_->Set({.key = std::move(key), .value = "v", .ttl = ttl}),
                IsOk());
  }
};

uint64_t Total(const Distribution::Reading& reading) {
  return std::accumulate(reading.counts.begin(), reading.counts.end(),
                         uint64_t{0});
}

TEST_F(StoreFiguresTest, OfAnEmptyStoreAreThoseOfItsMaking) {
  const StoreFigures figures = Figures();
  EXPECT_EQ(figures.records, 0);
  EXPECT_THAT(figures.records_by_key, IsEmpty());
  EXPECT_EQ(figures.active_key, TestsAreSealed() ? 1 : 0);
  EXPECT_EQ(figures.expiry_entries, 0);
  EXPECT_EQ(figures.queue_depth, 0);
  EXPECT_EQ(Total(figures.commit_time), 0);
  EXPECT_EQ(figures.max_size, uint64_t{10} << 30);
  EXPECT_GT(figures.used_bytes, 0);
  EXPECT_GT(figures.file_bytes, 0);
  EXPECT_GT(figures.disk_bytes, 0);
  EXPECT_EQ(figures.readers, 0) << "the look itself does not count";
}

TEST_F(StoreFiguresTest, CountRecordsAndTheCommitsThatBroughtThem) {
  for (int i = 0; i < 3; ++i) Set(absl::StrCat("k", i));
  const StoreFigures figures = Figures();
  EXPECT_EQ(figures.records, 3);
  EXPECT_THAT(figures.records_by_key, ElementsAre(Pair(figures.active_key, 3)));
  EXPECT_EQ(Total(figures.commit_time), 3);
  EXPECT_EQ(Total(figures.sync_time), 3);
  EXPECT_LE(figures.sync_time.sum, figures.commit_time.sum);
  EXPECT_EQ(figures.commit_writes.counts[0], 3) << "a commit for each";
}

TEST_F(StoreFiguresTest, FollowTheSpaceThatIsUsedAndFreed) {
  const uint64_t empty = Figures().used_bytes;
  EXPECT_THAT(store_->Set({.key = "a", .value = std::string(1 << 20, 'v')}),
              IsOk());
  const StoreFigures full = Figures();
  EXPECT_GT(full.used_bytes, empty + (1 << 20));
  EXPECT_GE(full.file_bytes, full.used_bytes);
  EXPECT_THAT(store_->Delete({.key = "a"}), IsOk());
  const StoreFigures freed = Figures();
  EXPECT_LT(freed.used_bytes, full.used_bytes - (1 << 20));
  EXPECT_GT(freed.free_pages, full.free_pages + 200);
  EXPECT_THAT(store_->GrowTo(uint64_t{20} << 30), IsOk());
  EXPECT_EQ(Figures().max_size, uint64_t{20} << 30);
}

TEST_F(StoreFiguresTest, TellHowFarTheSweeperIsBehind) {
  Set("a", absl::Seconds(10));
  Set("b");
  EXPECT_EQ(Figures().expiry_entries, 1);
  EXPECT_EQ(Figures().sweep_lag, absl::ZeroDuration());
  clock_.Advance(absl::Hours(1));
  EXPECT_GT(Figures().sweep_lag, absl::Minutes(57));
  EXPECT_LT(Figures().sweep_lag, absl::Minutes(60));
  EXPECT_THAT(store_->Sweep(), IsOk());
  EXPECT_EQ(Figures().swept, 1);
  EXPECT_EQ(Figures().sweep_lag, absl::ZeroDuration());
  EXPECT_EQ(Figures().expiry_entries, 0);
}

}  // namespace
}  // namespace statecpp
