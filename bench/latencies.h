// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_BENCH_LATENCIES_H_
#define STATECPP_BENCH_LATENCIES_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace statecpp {

// How long each of any number of calls took, in memory that does not grow: a
// histogram whose bars are 0.8 % wide, as HdrHistogram's are.
//
//   Latencies latencies;
//   for (...) latencies.Add(nanoseconds);
//   Print(latencies.Quantile(0.999));
class Latencies {
 public:
  // Less than nothing counts as nothing.
  void Add(int64_t nanoseconds);

  uint64_t count() const { return count_; }

  // The nanoseconds that the share `quantile` of the calls, from 0 to 1, did
  // not exceed: exact below 256, else up to 0.8 % too much, never too little. 0
  // without calls.
  int64_t Quantile(double quantile) const;

 private:
  // Bars of one width: 2^7 of them until the width doubles.
  static constexpr int kBits = 7;

  static size_t BarOf(uint64_t nanoseconds);
  static int64_t LastOf(size_t bar);

  std::array<uint64_t, (64 - kBits) << kBits> bars_ = {};
  uint64_t count_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_BENCH_LATENCIES_H_
