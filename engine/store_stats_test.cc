// SPDX-License-Identifier: Apache-2.0
//
// The figures of a store, against what was done to it.
#include "engine/store_stats.h"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "tests/support/open_store.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

class StoreStatsTest : public OpenStoreTest {
 protected:
  StoreStats Stats() {
    const absl::StatusOr<StoreStats> stats = store_->GetStats();
    EXPECT_THAT(stats, IsOk());
    return stats.value_or(StoreStats());
  }
  void Set(WriteOp op) { ASSERT_THAT(store_->Set(std::move(op)), IsOk()); }
};

TEST_F(StoreStatsTest, CountsWhatIsThere) {
  const StoreStats empty = Stats();
  EXPECT_EQ(empty.format, 1);
  EXPECT_EQ(empty.records, 0u);
  EXPECT_EQ(empty.expiry_entries, 0u);
  EXPECT_EQ(empty.open_count, 1u);
  Set({.key = "a"});
  Set({.key = "t", .ttl = absl::Hours(1)});
  const StoreStats stats = Stats();
  EXPECT_EQ(stats.records, 2u);
  EXPECT_EQ(stats.expiry_entries, 1u);
  EXPECT_EQ(stats.commit_seq, empty.commit_seq + 2);
  EXPECT_EQ(stats.max_size, Options().max_size);
  EXPECT_EQ(stats.used_bytes, stats.used_pages * stats.page_size);
}

TEST_F(StoreStatsTest, KnowsWhichPagesAreFreeAgain) {
  Set({.key = "a", .value = std::string(1 << 20, 'v')});
  const StoreStats full = Stats();
  EXPECT_GT(full.used_bytes, 1u << 20);
  EXPECT_LT(full.free_pages * full.page_size, 1u << 20);
  ASSERT_THAT(store_->Delete({.key = "a"}), IsOk());
  const StoreStats empty = Stats();
  EXPECT_LT(empty.used_bytes, 1u << 20);
  EXPECT_GE(empty.free_pages * empty.page_size, 1u << 20);
  EXPECT_EQ(empty.file_bytes, std::filesystem::file_size(path_ + "/data.mdb"));
  EXPECT_GE(empty.file_bytes,
            (empty.used_pages + empty.free_pages) * empty.page_size);
  EXPECT_GT(empty.file_bytes_on_disk, 1u << 20);
  EXPECT_GT(empty.disk_free_bytes, 0u);
}

TEST_F(StoreStatsTest, SaysWhatTheSweepIsBehindWith) {
  Set({.key = "soon", .ttl = absl::Hours(1)});
  Set({.key = "late", .ttl = absl::Hours(100)});
  EXPECT_EQ(Stats().due_entries, 0u);
  EXPECT_EQ(Stats().due_since, std::nullopt);
  const absl::Time expires = clock_.Now() + absl::Hours(1);
  clock_.Advance(absl::Hours(3));
  const StoreStats behind = Stats();
  EXPECT_EQ(behind.records, 2u);
  EXPECT_EQ(behind.due_entries, 1u);
  ASSERT_NE(behind.due_since, std::nullopt);
  EXPECT_GE(*behind.due_since, expires);
  EXPECT_LE(*behind.due_since, clock_.Now());
  ASSERT_THAT(store_->Sweep(), IsOk());
  EXPECT_EQ(Stats().due_entries, 0u);
  EXPECT_EQ(Stats().records, 1u);
}

}  // namespace
}  // namespace statecpp
