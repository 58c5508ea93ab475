// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_CLOCK_H_
#define STATECPP_ENGINE_CLOCK_H_

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace statecpp {

// Where expiry gets the time from. An interface only so that tests can move it.
//
// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // The wall clock: what a time to live is counted from. It may jump either
  // way.
  virtual absl::Time Now() = 0;

  // Time since some fixed moment, which never jumps: what tells a jump of the
  // wall clock from time that passed.
  virtual absl::Duration Monotonic() = 0;

  static Clock& System();
};

inline Clock& Clock::System() {
  class SystemClock final : public Clock {
   public:
    absl::Time Now() override { return absl::Now(); }
    absl::Duration Monotonic() override {
      return absl::FromChrono(
          std::chrono::steady_clock::now().time_since_epoch());
    }
  };
  static SystemClock* const clock = new SystemClock();
  return *clock;
}

}  // namespace statecpp

#endif  // STATECPP_ENGINE_CLOCK_H_
