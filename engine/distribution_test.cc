// SPDX-License-Identifier: Apache-2.0
#include "engine/distribution.h"

#include <numeric>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::ElementsAre;

constexpr std::array<uint64_t, 3> kBounds = {10, 20, 40};

TEST(DistributionTest, CountsAnAmountUnderTheFirstBoundThatItDoesNotPass) {
  Distribution amounts(kBounds);
  for (const uint64_t amount : {0, 10, 11, 20, 40, 41, 1000}) {
    amounts.Add(amount);
  }
  const Distribution::Reading reading = amounts.Read();
  EXPECT_THAT(reading.counts, ElementsAre(2, 2, 1, 2));
  EXPECT_EQ(reading.sum, 1122);
}

TEST(DistributionTest, MeasuresTimesInNanoseconds) {
  Distribution times(kTimeBounds);
  times.AddSince(std::chrono::steady_clock::now() - std::chrono::minutes(1));
  const Distribution::Reading reading = times.Read();
  EXPECT_EQ(reading.counts.back(), 1);
  EXPECT_GE(reading.sum, 60'000'000'000);
  EXPECT_LT(reading.sum, 600'000'000'000);
}

TEST(DistributionTest, LosesNothingThatComesFromSeveralThreads) {
  constexpr int kThreads = 4;
  constexpr uint64_t kEach = 10'000;
  Distribution amounts(kBounds);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < kEach; ++i) amounts.Add(i % 50);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Distribution::Reading reading = amounts.Read();
  EXPECT_EQ(std::accumulate(reading.counts.begin(), reading.counts.end(), 0u),
            kThreads * kEach);
  EXPECT_EQ(reading.sum, kThreads * kEach / 50 * (49 * 50 / 2));
}

// Else the search would miss one, or Read run past the counts.
TEST(DistributionTest, TheBoundsInUseAscendAndFit) {
  for (const absl::Span<const uint64_t> bounds :
       {absl::Span<const uint64_t>(kTimeBounds),
        absl::Span<const uint64_t>(kCountBounds),
        absl::Span<const uint64_t>(kByteBounds)}) {
    EXPECT_LE(bounds.size(), Distribution::kMaxBounds);
    EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end()));
  }
}

}  // namespace
}  // namespace statecpp
