// SPDX-License-Identifier: Apache-2.0
#include "engine/trusted_time.h"

#include <algorithm>

namespace statecpp {
namespace {

// More apart than this is a jump, not a correction.
constexpr absl::Duration kInStep = absl::Seconds(2);
constexpr absl::Duration kSmallGap = absl::Minutes(5);
constexpr absl::Duration kConfirmAfter = absl::Hours(1);
// Less behind the mark than this, the wall clock is waited for.
constexpr absl::Duration kFarBehind = absl::Hours(24);

}  // namespace

TrustedTime::TrustedTime(Clock& clock, absl::Time high_water)
    : clock_(clock),
      high_water_(high_water),
      marked_at_(clock.Monotonic()),
      step_wall_(clock.Now()),
      step_monotonic_(marked_at_) {}

absl::Time TrustedTime::ForVisibility() {
  const absl::Time confirmed = Confirmed();
  return std::max(clock_.Now(), confirmed);
}

absl::Time TrustedTime::Confirmed() {
  absl::MutexLock lock(&mutex_);
  const absl::Time wall = clock_.Now();
  const absl::Duration monotonic = clock_.Monotonic();

  const absl::Duration apart =
      (wall - step_wall_) - (monotonic - step_monotonic_);
  if (apart > kInStep || apart < -kInStep) {
    step_wall_ = wall;
    step_monotonic_ = monotonic;
  }

  const absl::Time passed = high_water_ + (monotonic - marked_at_);
  const bool in_step_long = monotonic - step_monotonic_ >= kConfirmAfter;
  if (in_step_long && wall <= high_water_ - kFarBehind) {
    high_water_ = wall;
  } else if (wall <= passed + kSmallGap || in_step_long) {
    high_water_ = std::max(high_water_, wall);
  } else {
    high_water_ = passed;
  }
  marked_at_ = monotonic;
  return high_water_;
}

}  // namespace statecpp
