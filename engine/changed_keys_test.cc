// SPDX-License-Identifier: Apache-2.0
#include "engine/changed_keys.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(ChangedKeysTest, AreTakenOnceAndInOrder) {
  ChangedKeys changed(1000);
  changed.Add(Space::kExpiry, "a");
  changed.Add(Space::kRecords, "c");
  changed.Add(Space::kRecords, "b");
  changed.Add(Space::kRecords, "c");
  const ChangedKeys::Taken taken = changed.Take();
  EXPECT_THAT(taken.places, ElementsAre(Pair(Space::kRecords, "b"),
                                        Pair(Space::kRecords, "c"),
                                        Pair(Space::kExpiry, "a")));
  EXPECT_FALSE(taken.any);
  EXPECT_THAT(changed.Take().places, IsEmpty());
}

TEST(ChangedKeysTest, AreAnyOnceThereAreTooMany) {
  ChangedKeys changed(1000);
  for (char c = 'a'; c <= 'z'; ++c) {
    changed.Add(Space::kRecords, std::string(10, c));
  }
  ChangedKeys::Taken taken = changed.Take();
  EXPECT_TRUE(taken.any);
  EXPECT_THAT(taken.places, IsEmpty());
  // From then on they are noted again.
  changed.Add(Space::kRecords, "a");
  taken = changed.Take();
  EXPECT_FALSE(taken.any);
  EXPECT_THAT(taken.places, ElementsAre(Pair(Space::kRecords, "a")));
}

TEST(ChangedKeysTest, OneKeyIsNotedOnceHoweverOftenItChanges) {
  ChangedKeys changed(200);
  for (int i = 0; i < 1000; ++i) changed.Add(Space::kRecords, "key");
  EXPECT_FALSE(changed.Take().any);
}

}  // namespace
}  // namespace statecpp
