// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_DISTRIBUTION_H_
#define STATECPP_ENGINE_DISTRIBUTION_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace statecpp {

// How often which amounts came: a histogram between fixed bounds, of times in
// nanoseconds, of bytes or of plain numbers.
//
//   Distribution times(kTimeBounds);
//   times.AddSince(start);
//   ...
//   const Distribution::Reading reading = times.Read();
//
// Adding costs two additions and a search among some bounds, so it may stand on
// the way of any call: no lock is taken and nothing is looked up. Thread-safe;
// a reading that is taken while amounts are added has each of them or not.
class Distribution {
 public:
  static constexpr size_t kMaxBounds = 20;

  // `bounds` ascend, are kMaxBounds at most, and outlive this.
  explicit Distribution(absl::Span<const uint64_t> bounds) : bounds_(bounds) {}

  void Add(uint64_t amount) {
    const size_t place =
        std::lower_bound(bounds_.begin(), bounds_.end(), amount) -
        bounds_.begin();
    counts_[place].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(amount, std::memory_order_relaxed);
  }

  // The nanoseconds since then.
  void AddSince(std::chrono::steady_clock::time_point start) {
    Add(std::chrono::nanoseconds(std::chrono::steady_clock::now() - start)
            .count());
  }

  struct Reading {
    absl::Span<const uint64_t> bounds;
    // Amounts up to each bound and past the one before; the last one of those
    // past all bounds.
    std::vector<uint64_t> counts;
    uint64_t sum;
  };
  Reading Read() const {
    Reading reading = {.bounds = bounds_, .counts = {}, .sum = sum_};
    reading.counts.assign(counts_.begin(),
                          counts_.begin() + bounds_.size() + 1);
    return reading;
  }

 private:
  const absl::Span<const uint64_t> bounds_;
  std::array<std::atomic<uint64_t>, kMaxBounds + 1> counts_ = {};
  std::atomic<uint64_t> sum_ = 0;
};

// From 25 µs to 10 s.
inline constexpr std::array<uint64_t, 18> kTimeBounds = {
    25'000,        50'000,        100'000,       250'000,     500'000,
    1'000'000,     2'500'000,     5'000'000,     10'000'000,  25'000'000,
    50'000'000,    100'000'000,   250'000'000,   500'000'000, 1'000'000'000,
    2'500'000'000, 5'000'000'000, 10'000'000'000};

// Of what comes together: items of a bulk, writes of a commit.
inline constexpr std::array<uint64_t, 11> kCountBounds = {
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

// From 64 B to the 4 MiB that a value may have.
inline constexpr std::array<uint64_t, 9> kByteBounds = {
    64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_DISTRIBUTION_H_
