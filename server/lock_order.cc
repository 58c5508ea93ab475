// SPDX-License-Identifier: Apache-2.0
#include "server/lock_order.h"

#include "absl/synchronization/mutex.h"

namespace statecpp {

void SkipLockOrderChecks() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

}  // namespace statecpp
