// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_BENCH_KEY_CHOOSER_H_
#define STATECPP_BENCH_KEY_CHOOSER_H_

#include <cstdint>
#include <random>
#include <string>

namespace statecpp {

// The key of a record, by its number. All have the same length.
std::string BenchKey(int64_t number);

// Where a workload draws its random numbers.
using BenchRandom = std::mt19937_64;

// Any of `keys` numbers from 0, each as likely as the next.
class UniformChooser {
 public:
  explicit UniformChooser(int64_t keys) : numbers_(0, keys - 1) {}

  int64_t Next(BenchRandom& random) { return numbers_(random); }

 private:
  std::uniform_int_distribution<int64_t> numbers_;
};

// Few numbers often and most of them seldom: the one of rank r, from 1, is
// drawn in proportion to 1 / r^0.99, as YCSB draws its keys. By the method of
// Gray et al., "Quickly Generating Billion-Record Synthetic Databases" (SIGMOD
// 1994), section 3.2, whose constant YCSB's ZipfianGenerator has, too.
//
//   ZipfianChooser chooser(100'000);
//   store.Get(BenchKey(chooser.Next(random)));
//
// Making one takes time in proportion to `keys`.
class ZipfianChooser {
 public:
  static constexpr double kTheta = 0.99;

  // At least 2 keys.
  explicit ZipfianChooser(int64_t keys);

  // A number from 0, the most popular of all, to keys - 1. Popular numbers are
  // neighbours, and so their keys; on disk a key is a hash, so that its
  // neighbours are others.
  int64_t Next(BenchRandom& random);

 private:
  const double keys_;
  const double zeta_;
  const double zeta_of_two_;
  const double alpha_;
  const double eta_;
  std::uniform_real_distribution<double> share_{0, 1};
};

}  // namespace statecpp

#endif  // STATECPP_BENCH_KEY_CHOOSER_H_
