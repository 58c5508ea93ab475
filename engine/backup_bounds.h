// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_BACKUP_BOUNDS_H_
#define STATECPP_ENGINE_BACKUP_BOUNDS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace statecpp {

// Of what a backup reads in one snapshot. Whichever comes first ends it; one
// key is in it at least.
struct BackupBounds {
  size_t looks = 4096;
  uint64_t bytes = uint64_t{4} << 20;
  absl::Duration time = absl::Milliseconds(20);
};

// Says when they are reached. Time runs from when this is made.
class BackupGauge {
 public:
  explicit BackupGauge(const BackupBounds& bounds)
      : bounds_(bounds), end_(absl::Now() + bounds.time) {}

  bool IsFull(size_t looked, uint64_t bytes) const {
    if (looked == 0) return false;
    return looked >= bounds_.looks || bytes >= bounds_.bytes ||
           absl::Now() >= end_;
  }

 private:
  const BackupBounds bounds_;
  const absl::Time end_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_BACKUP_BOUNDS_H_
