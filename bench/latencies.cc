// SPDX-License-Identifier: Apache-2.0
#include "bench/latencies.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace statecpp {

void Latencies::Add(int64_t nanoseconds) {
  ++bars_[BarOf(static_cast<uint64_t>(std::max<int64_t>(nanoseconds, 0)))];
  ++count_;
}

int64_t Latencies::Quantile(double quantile) const {
  if (count_ == 0) return 0;
  const auto wanted = std::max<uint64_t>(
      1,
      static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(count_))));
  uint64_t seen = 0;
  for (size_t bar = 0; bar < bars_.size(); ++bar) {
    seen += bars_[bar];
    if (seen >= wanted) return LastOf(bar);
  }
  return LastOf(bars_.size() - 1);
}

// The first 2^(kBits+1) bars are one nanosecond wide, and every further 2^kBits
// twice as wide as those before them.
size_t Latencies::BarOf(uint64_t nanoseconds) {
  const int doublings =
      std::max(0, static_cast<int>(std::bit_width(nanoseconds)) - kBits - 1);
  return (static_cast<size_t>(doublings) << kBits) +
         static_cast<size_t>(nanoseconds >> doublings);
}

int64_t Latencies::LastOf(size_t bar) {
  if (bar < size_t{2} << kBits) return static_cast<int64_t>(bar);
  const size_t doublings = (bar >> kBits) - 1;
  const size_t first = bar - (doublings << kBits);
  return static_cast<int64_t>(((first + 1) << doublings) - 1);
}

}  // namespace statecpp
