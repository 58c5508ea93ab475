// SPDX-License-Identifier: Apache-2.0
#include "bench/key_chooser.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

namespace statecpp {
namespace {

constexpr int kKeys = 1000;
constexpr int kDraws = 400'000;

template <typename Chooser>
std::vector<double> SharesOf(Chooser chooser) {
  BenchRandom random(7);
  std::vector<double> shares(kKeys);
  for (int i = 0; i < kDraws; ++i) {
    const int64_t number = chooser.Next(random);
    EXPECT_GE(number, 0);
    EXPECT_LT(number, kKeys);
    shares.at(static_cast<size_t>(number)) += 1.0 / kDraws;
  }
  return shares;
}

double SumOf(const std::vector<double>& shares, size_t first, size_t last) {
  double sum = 0;
  for (size_t i = first; i < last; ++i) sum += shares[i];
  return sum;
}

// What the ranks from `first` to `last` are due, both from 1.
double ZipfShare(int first, int last) {
  double some = 0;
  double all = 0;
  for (int rank = 1; rank <= kKeys; ++rank) {
    const double weight = std::pow(rank, -ZipfianChooser::kTheta);
    all += weight;
    if (rank >= first && rank <= last) some += weight;
  }
  return some / all;
}

TEST(KeyChooserTest, KeysOfAllNumbersHaveOneLengthAndDiffer) {
  EXPECT_EQ(BenchKey(7), "bench||key-000000000007");
  EXPECT_EQ(BenchKey(int64_t{1} << 32).size(), BenchKey(0).size());
}

TEST(KeyChooserTest, UniformGivesEachTenthTheSame) {
  const std::vector<double> shares = SharesOf(UniformChooser(kKeys));
  for (size_t tenth = 0; tenth < 10; ++tenth) {
    EXPECT_NEAR(SumOf(shares, tenth * 100, tenth * 100 + 100), 0.1, 0.003);
  }
}

TEST(KeyChooserTest, ZipfianGivesEachRankItsShare) {
  const std::vector<double> shares = SharesOf(ZipfianChooser(kKeys));
  EXPECT_NEAR(shares[0], ZipfShare(1, 1), 0.003);
  EXPECT_NEAR(shares[1], ZipfShare(2, 2), 0.003);
  // The method is an approximation from the third rank on.
  EXPECT_NEAR(SumOf(shares, 2, 10), ZipfShare(3, 10), 0.03);
  EXPECT_NEAR(SumOf(shares, 10, 100), ZipfShare(11, 100), 0.03);
  EXPECT_NEAR(SumOf(shares, 100, kKeys), ZipfShare(101, kKeys), 0.03);
}

TEST(KeyChooserTest, ZipfianDrawsEvenTheLeastPopular) {
  const std::vector<double> shares = SharesOf(ZipfianChooser(kKeys));
  EXPECT_GT(SumOf(shares, kKeys - 100, kKeys), 0);
}

TEST(KeyChooserTest, TheSameSeedDrawsTheSame) {
  BenchRandom one(3);
  BenchRandom other(3);
  ZipfianChooser a(kKeys);
  ZipfianChooser b(kKeys);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.Next(one), b.Next(other));
}

}  // namespace
}  // namespace statecpp
