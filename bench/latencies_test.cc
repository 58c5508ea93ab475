// SPDX-License-Identifier: Apache-2.0
#include "bench/latencies.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace statecpp {
namespace {

TEST(LatenciesTest, WithoutCallsThereIsNothing) {
  EXPECT_EQ(Latencies().Quantile(0.5), 0);
  EXPECT_EQ(Latencies().count(), 0u);
}

TEST(LatenciesTest, QuantilesOfSmallFiguresAreExact) {
  Latencies latencies;
  for (int64_t i = 1; i <= 200; ++i) latencies.Add(i);
  EXPECT_EQ(latencies.count(), 200u);
  EXPECT_EQ(latencies.Quantile(0), 1);
  EXPECT_EQ(latencies.Quantile(0.5), 100);
  EXPECT_EQ(latencies.Quantile(0.99), 198);
  EXPECT_EQ(latencies.Quantile(1), 200);
}

TEST(LatenciesTest, OneSlowCallOfAThousandIsBehindTheLastPerMille) {
  Latencies latencies;
  for (int i = 0; i < 999; ++i) latencies.Add(100);
  latencies.Add(5'000'000);
  EXPECT_EQ(latencies.Quantile(0.999), 100);
  EXPECT_GE(latencies.Quantile(0.9991), 5'000'000);
}

TEST(LatenciesTest, AnyFigureIsKeptToUnderOnePercentAndNeverMadeLess) {
  for (int64_t nanoseconds = 1; nanoseconds < (int64_t{1} << 61);
       nanoseconds += 1 + nanoseconds / 37) {
    Latencies latencies;
    latencies.Add(nanoseconds);
    const int64_t kept = latencies.Quantile(0.5);
    EXPECT_GE(kept, nanoseconds);
    EXPECT_LE(static_cast<double>(kept - nanoseconds),
              0.008 * static_cast<double>(nanoseconds));
  }
}

TEST(LatenciesTest, TheEndsOfTheRangeHaveAPlace) {
  Latencies latencies;
  latencies.Add(-5);
  EXPECT_EQ(latencies.Quantile(1), 0);
  latencies.Add(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(latencies.Quantile(1), std::numeric_limits<int64_t>::max());
}

}  // namespace
}  // namespace statecpp
