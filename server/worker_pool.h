// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_WORKER_POOL_H_
#define STATECPP_SERVER_WORKER_POOL_H_

#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace statecpp {

// A few threads for what would hold up the polling thread: opening stores,
// large values, long bulk reads. Thread-safe.
class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  // Runs what was handed in, then ends.
  ~WorkerPool();

  void Run(absl::AnyInvocable<void()> task) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  std::deque<absl::AnyInvocable<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_WORKER_POOL_H_
