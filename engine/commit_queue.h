// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_COMMIT_QUEUE_H_
#define STATECPP_ENGINE_COMMIT_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/distribution.h"
#include "engine/storage.h"
#include "engine/trusted_time.h"
#include "engine/write.h"

namespace statecpp {

// Group commit: writers hand in batches from any thread, one thread commits all
// that wait in one step of the Storage and hands the verdicts back.
//
//   CommitQueue queue(storage, time, {}, on_failed);
//   queue.Submit(batch, bounds, [](Verdict verdict) { ... });
//
// Why a writer never waits for a timer: while one group is synced the next one
// forms by itself, so a lone writer pays one sync and many writers share it.
//
//   - Batches are judged in the order they were submitted.
//   - Bounds are read last, right before a batch is judged: whoever gave up
//     before has written nothing, whoever gives up later may have.
//   - A group that does not fit, or that one of its batches spoils, is split in
//     two in its order, each half judged and committed anew, down to one batch,
//     which is then refused alone.
//   - After a failed sync nothing is tried again: what the system has already
//     dropped from its cache, a second sync would report as written. Every
//     later batch is refused; `on_failed` is told once, when the verdicts of
//     the group that met it are out.
//
// Thread-safe.
class CommitQueue {
 public:
  struct Limits {
    // Waiting, not yet taken by the commit thread.
    size_t queued_batches = 65536;
    size_t queued_bytes = size_t{256} << 20;
    // In one group; one batch alone may be larger.
    size_t group_batches = 1024;
    size_t group_bytes = size_t{8} << 20;
  };

  // Called on the commit thread, or on the submitting one where the batch is
  // refused at once. May submit.
  using Done = absl::AnyInvocable<void(Verdict)>;

  CommitQueue(Storage& storage, TrustedTime& time, Limits limits,
              std::function<void(const absl::Status&)> on_failed);

  // Commits what waits, then ends. Nothing may be submitted from now on but by
  // the verdicts' receivers, who are refused.
  ~CommitQueue();

  // `batch` and `bounds.cancelled` must live until `done` is called.
  void Submit(const Batch& batch, CallBounds bounds, Done done)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Submits every batch and waits for all verdicts, in order. Not from the
  // commit thread.
  std::vector<Verdict> CommitAll(absl::Span<const Batch> batches)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // From now on waits for so long before each group is taken, so that fewer
  // writes come, and no longer than until it is closed, or told another time;
  // no time: not at all. For whoever copies the store and does not keep up.
  void Slow(absl::Duration wait) ABSL_LOCKS_EXCLUDED(mutex_);

  // A sync failed in a commit that did not come through here.
  void Fail(const absl::Status& cause) ABSL_LOCKS_EXCLUDED(mutex_);

  // How many batches wait. Never waits for a commit.
  size_t waiting() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Of the commits: how long each took, and how many batches shared it.
  const Distribution& commit_time() const { return commit_time_; }
  const Distribution& commit_writes() const { return commit_writes_; }

  // OK until a sync failed; then what every call is to answer.
  absl::Status health() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Waiting {
    const Batch* batch;
    size_t bytes;
    CallBounds bounds;
    Done done;
  };

  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  void Pause() ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<Waiting> TakeGroup() ABSL_LOCKS_EXCLUDED(mutex_);
  void CommitGroup(absl::Span<Waiting* const> all) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::vector<Verdict>> Commit(
      absl::Span<Waiting* const> group, absl::Span<const Batch* const> batches);
  // From now on every batch is refused. False: so it was before.
  bool Poison(const absl::Status& cause) ABSL_LOCKS_EXCLUDED(mutex_);

  Storage& storage_;
  TrustedTime& time_;
  const Limits limits_;
  const std::function<void(const absl::Status&)> on_failed_;

  Distribution commit_time_{kTimeBounds};
  Distribution commit_writes_{kCountBounds};
  std::atomic<bool> failed_ = false;
  mutable absl::Mutex mutex_;
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration wait_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_COMMIT_QUEUE_H_
