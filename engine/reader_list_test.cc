// SPDX-License-Identifier: Apache-2.0
#include "engine/reader_list.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::Eq;
using ::testing::Optional;

constexpr absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

TEST(ReaderListTest, CountsThoseWhoReadAndFindsTheOldest) {
  ReaderList list = {.last_commit = 20};
  list.AddLine("    pid     thread     txnid\n");
  list.AddLine("      4711 7f0011223344 17\n");
  list.AddLine("      4711 7f0011223345 -\n");
  list.AddLine("      4712 7f0011223346 12\n");
  list.AddLine("      4712 7f0011223347 19\n");
  EXPECT_EQ(list.readers, 3);
  EXPECT_THAT(list.oldest, Optional(Eq(12)));
  EXPECT_EQ(list.Lag(), 8);
}

TEST(ReaderListTest, IsEmptyWhereNobodyReads) {
  ReaderList list = {.last_commit = 20};
  list.AddLine("(no active readers)\n");
  EXPECT_EQ(list.readers, 0);
  EXPECT_EQ(list.Lag(), 0);
}

TEST(OldestReaderTest, AgesForAsLongAsItsSnapshotIsBehind) {
  OldestReader oldest;
  const ReaderList behind = {.last_commit = 9, .readers = 1, .oldest = 5};
  const ReaderList later = {.last_commit = 9, .readers = 1, .oldest = 7};
  const ReaderList current = {.last_commit = 9, .readers = 1, .oldest = 9};
  const auto age = [&](const ReaderList& list, int seconds) {
    return absl::ToInt64Seconds(
        oldest.AgeOf(list, kNow + absl::Seconds(seconds)));
  };
  EXPECT_EQ(age(behind, 0), 0);
  EXPECT_EQ(age(behind, 30), 30);
  EXPECT_EQ(age(later, 40), 0) << "another snapshot";
  EXPECT_EQ(age(later, 50), 10);
  EXPECT_EQ(age(current, 60), 0) << "it keeps nobody from anything";
  EXPECT_EQ(age(later, 70), 0) << "it was current in between";
}

}  // namespace
}  // namespace statecpp
