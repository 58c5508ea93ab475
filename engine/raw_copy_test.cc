// SPDX-License-Identifier: Apache-2.0
//
// A copy of a store's files (a snapshot of the disk, a restored backup, a
// cloned machine) goes on beside its original. An ETag from one must never
// match in the other, or a lost update goes unnoticed.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

constexpr int kBulks = 50;
constexpr int kWritesPerBulk = 10'000;

TEST(RawCopyTest, AStoreAndItsCopyShareNoETagInAMillionWrites) {
  const MemoryDir dir;
  const std::string paths[] = {dir.Path("original"), dir.Path("copy")};
  ETag before(0);
  {
    const auto original =
        Store::Open({.path = paths[0], .keys = TestKeys()}).value();
    before = original->Set({.key = "0", .value = "v"}).value();
  }
  std::filesystem::copy(paths[0], paths[1]);

  std::unique_ptr<Store> stores[2];
  for (int s = 0; s < 2; ++s) {
    stores[s] = Store::Open({.path = paths[s], .keys = TestKeys()}).value();
    // What was there when the copy was made is the same in both.
    EXPECT_EQ((*stores[s]->Get("0"))->etag, before);
  }
  absl::flat_hash_set<uint64_t> seen = {before.version()};
  seen.reserve(2 * kBulks * kWritesPerBulk + 1);
  // In turns, so that both come by the same moments and the same counts.
  for (int bulk = 0; bulk < kBulks; ++bulk) {
    for (const std::unique_ptr<Store>& store : stores) {
      std::vector<WriteOp> ops(kWritesPerBulk);
      for (int i = 0; i < kWritesPerBulk; ++i) ops[i].key = absl::StrCat(i);
      for (const Store::WriteResult& etag : store->BulkWrite(std::move(ops))) {
        ASSERT_THAT(etag, IsOk());
        ASSERT_TRUE(seen.insert(etag->version()).second) << *etag;
      }
    }
  }
  EXPECT_EQ(seen.size(), 2u * kBulks * kWritesPerBulk + 1);
}

}  // namespace
}  // namespace statecpp
