// SPDX-License-Identifier: Apache-2.0
//
// A commit whose last step fails, the write of LMDB's meta page. LMDB then
// leaves the new trees under an old number in the page, which looks like a file
// that was damaged. The store puts back what was there.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace {

// What becomes of the next write that is a sync as well.
enum class Next { kGoes, kFails, kIsMadeAndFails, kIsShort } next = Next::kGoes;

}  // namespace

// In the place of the C library's.
extern "C" ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static const auto libc =
      reinterpret_cast<decltype(&pwrite)>(dlsym(RTLD_NEXT, "pwrite"));
  if (next == Next::kGoes || !(fcntl(fd, F_GETFL) & O_DSYNC)) {
    return libc(fd, bytes, size, at);
  }
  const Next now = std::exchange(next, Next::kGoes);
  if (now == Next::kIsShort) return libc(fd, bytes, size / 2, at);
  if (now == Next::kIsMadeAndFails) libc(fd, bytes, size, at);
  errno = EIO;
  return -1;
}

namespace statecpp {
namespace {

class FailedMetaWriteTest : public ::testing::TestWithParam<Next> {
 protected:
  absl::StatusOr<std::unique_ptr<Store>> Open() {
    return Store::Open({.path = dir_.Path("store"), .keys = TestKeys()});
  }

  MemoryDir dir_;
};

INSTANTIATE_TEST_SUITE_P(All, FailedMetaWriteTest,
                         ::testing::Values(Next::kFails, Next::kIsMadeAndFails,
                                           Next::kIsShort));

TEST_P(FailedMetaWriteTest, LeavesAStoreThatOpens) {
  std::unique_ptr<Store> store = Open().value();
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(store->Set({.key = absl::StrCat("k", i), .value = "kept"}),
                IsOk());
  }
  next = GetParam();
  // Large enough that the file grows by it.
  EXPECT_THAT(store->Set({.key = "k0", .value = std::string(1 << 20, 'v')}),
              HasCode(absl::StatusCode::kUnknown));
  EXPECT_EQ(next, Next::kGoes);
  EXPECT_THAT(store->Get("k0"), HasCode(absl::StatusCode::kUnavailable));
  store.reset();

  store = Open().value();
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(store->Get(absl::StrCat("k", i)),
                IsOkAndHolds(HasValue("kept")));
  }
  EXPECT_THAT(store->CheckIntegrity(), IsOk());
  EXPECT_THAT(store->Set({.key = "k0", .value = "new"}), IsOk());
}

// The first commit of every opening is one as well.
TEST_P(FailedMetaWriteTest, LeavesAStoreThatOpensWhenItWasBeingOpened) {
  ASSERT_THAT(Open().value()->Set({.key = "k", .value = "kept"}), IsOk());
  next = GetParam();
  EXPECT_THAT(Open(), HasCode(absl::StatusCode::kUnknown));
  EXPECT_EQ(next, Next::kGoes);
  const std::unique_ptr<Store> store = Open().value();
  EXPECT_THAT(store->Get("k"), IsOkAndHolds(HasValue("kept")));
  EXPECT_THAT(store->CheckIntegrity(), IsOk());
}

}  // namespace
}  // namespace statecpp
