// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_FAKE_CLOCK_H_
#define STATECPP_TESTS_SUPPORT_FAKE_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/clock.h"

namespace statecpp {

// A clock that stands still until a test moves it. Thread-safe.
class FakeClock final : public Clock {
 public:
  absl::Time Now() override {
    absl::MutexLock lock(&mutex_);
    return wall_;
  }
  absl::Duration Monotonic() override {
    absl::MutexLock lock(&mutex_);
    return monotonic_;
  }

  // Time passes: both clocks go on.
  void Advance(absl::Duration duration) {
    absl::MutexLock lock(&mutex_);
    wall_ += duration;
    monotonic_ += duration;
  }

  // Someone sets the date: only the wall clock moves, either way.
  void Jump(absl::Duration duration) {
    absl::MutexLock lock(&mutex_);
    wall_ += duration;
  }

 private:
  absl::Mutex mutex_;
  absl::Time wall_ ABSL_GUARDED_BY(mutex_) = absl::FromUnixSeconds(1790000000);
  absl::Duration monotonic_ ABSL_GUARDED_BY(mutex_) = absl::Seconds(1000);
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_FAKE_CLOCK_H_
