// SPDX-License-Identifier: Apache-2.0
#include "server/free_memory.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace statecpp {
namespace {

constexpr size_t kMebi = 1 << 20;

// A sanitizer's allocator keeps what was freed, to notice who uses it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kAllocatorIsTheLibrarys = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kAllocatorIsTheLibrarys = false;
#else
constexpr bool kAllocatorIsTheLibrarys = true;
#endif
#else
constexpr bool kAllocatorIsTheLibrarys = true;
#endif

// Many small blocks, all freed but the last, which keeps the C library from
// giving anything back by itself.
std::unique_ptr<char[]> TakeAndFree(size_t bytes) {
  std::vector<std::unique_ptr<char[]>> blocks;
  for (size_t taken = 0; taken < bytes; taken += 4096) {
    blocks.push_back(std::make_unique<char[]>(4096));
    memset(blocks.back().get(), 1, 4096);
  }
  return std::move(blocks.back());
}

TEST(FreeMemoryTest, IsReturnedWhereThereIsMoreThanToKeep) {
  if (!kAllocatorIsTheLibrarys)
    GTEST_SKIP() << "the allocator is a sanitizer's";
  const size_t before = OwnMemory();
  ASSERT_GT(before, 0u);
  const auto last = TakeAndFree(64 * kMebi);
  const size_t kept = OwnMemory();
  ASSERT_GT(kept, before + 32 * kMebi) << "it was given back by itself";
  ReturnFreeMemory(/*keep=*/kept + kMebi);
  EXPECT_GT(OwnMemory(), before + 32 * kMebi);
  ReturnFreeMemory(/*keep=*/before);
  EXPECT_LT(OwnMemory(), before + 16 * kMebi);
}

}  // namespace
}  // namespace statecpp
