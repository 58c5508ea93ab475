// SPDX-License-Identifier: Apache-2.0
#include "engine/key_order.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

// The keys as VisitInOrder visits them, and how often it walked.
struct Visited {
  std::vector<std::string> keys;
  int walks = 0;
};

Visited Visit(const std::vector<std::string>& keys, size_t most) {
  Visited visited;
  EXPECT_THAT(VisitInOrder(
                  most,
                  [&](PlaceSink add) {
                    ++visited.walks;
                    for (const std::string& key : keys) {
                      add(Place(key, key, absl::string_view(key).substr(1)));
                    }
                    return absl::OkStatus();
                  },
                  [&](const Place& place) {
                    EXPECT_EQ(std::string(place.former_key()),
                              std::string(place.key()));
                    EXPECT_EQ(std::string(place.record()),
                              std::string(place.key().substr(1)));
                    visited.keys.emplace_back(place.key());
                    return absl::OkStatus();
                  }),
              IsOk());
  return visited;
}

TEST(KeyOrderTest, VisitsEveryPlaceInOrderHoweverFewItMayKeep) {
  std::mt19937_64 random(TestSeed());
  for (const size_t count : {0, 1, 2, 9, 100, 1000}) {
    std::set<std::string> sorted;
    while (sorted.size() < count) {
      // Bytes of either sign, as hashes have them, and of any length.
      std::string key(1 + random() % Place::kMaxKeySize, '\0');
      for (char& byte : key) byte = static_cast<char>(random());
      sorted.insert(key);
    }
    std::vector<std::string> keys(sorted.begin(), sorted.end());
    std::shuffle(keys.begin(), keys.end(), random);
    for (const size_t most : {1, 2, 3, 10, 100, 999, 1000, 1001}) {
      if (count == 1000 && most < 10) continue;
      const Visited visited = Visit(keys, most);
      EXPECT_THAT(visited.keys, ElementsAreArray(sorted));
      EXPECT_EQ(visited.walks, std::max<size_t>(1, (count + most - 1) / most));
    }
  }
}

TEST(KeyOrderTest, EndsWithTheFirstError) {
  const absl::Status failed = absl::DataLossError("here");
  int visits = 0;
  const auto visit = [&](const Place&) {
    return ++visits == 2 ? failed : absl::OkStatus();
  };
  const auto walk = [](PlaceSink add) {
    for (const char* key : {"c", "b", "a"}) add(Place(key, "", ""));
    return absl::OkStatus();
  };
  EXPECT_EQ(VisitInOrder(10, walk, visit), failed);
  EXPECT_EQ(visits, 2);
  EXPECT_EQ(VisitInOrder(
                10, [&](PlaceSink) { return failed; },
                [](const Place&) {
                  ADD_FAILURE() << "visited";
                  return absl::OkStatus();
                }),
            failed);
}

}  // namespace
}  // namespace statecpp
