// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_TRUSTED_TIME_H_
#define STATECPP_ENGINE_TRUSTED_TIME_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/clock.h"

namespace statecpp {

// What time it is, as far as expiry may believe it. Wall clocks jump: a host
// resumes, a time server is wrong, someone sets the date. Two questions are
// asked, and they deserve different answers:
//
//   Is this item still visible?   By the wall clock, but never by an earlier
//       moment than has passed for certain: an item that expired stays so when
//       the clock is set back.
//   May this item be removed?     By the high-water mark alone, the latest
//       moment that has passed for certain. A jump to 2038 hides items for as
//       long as it lasts and removes none.
//
// The mark follows the wall clock while that runs in step with the monotonic
// one, and takes small gaps (up to five minutes) at once. After a larger
// forward jump, or a restart after a longer pause, it goes on at the pace of
// time that really passes, and catches up when the wall clock has run in step
// for an hour.
//
// A clock that runs in step for an hour and is a day or more behind the mark is
// believed, too: then it was a wrong clock by which the mark rose, or with
// which the store was made, and all that is written with a time to live would
// have expired for as long as that clock was ahead. What expired by it and was
// not removed yet is there again, until it expires by the clock as it now is.
//
// Thread-safe.
class TrustedTime {
 public:
  // `high_water` is the mark that was kept, from this store's earlier life.
  TrustedTime(Clock& clock, absl::Time high_water);

  // What a time to live is counted from.
  absl::Time Wall() const { return clock_.Now(); }

  // What decides whether an item is visible.
  absl::Time ForVisibility() ABSL_LOCKS_EXCLUDED(mutex_);

  // The high-water mark, brought up to date.
  absl::Time Confirmed() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Clock& clock_;

  absl::Mutex mutex_;
  absl::Time high_water_ ABSL_GUARDED_BY(mutex_);
  // When the mark was last brought up to date.
  absl::Duration marked_at_ ABSL_GUARDED_BY(mutex_);
  // Where both clocks stood when they last began to run in step.
  absl::Time step_wall_ ABSL_GUARDED_BY(mutex_);
  absl::Duration step_monotonic_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_TRUSTED_TIME_H_
