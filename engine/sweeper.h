// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_SWEEPER_H_
#define STATECPP_ENGINE_SWEEPER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/commit_queue.h"
#include "engine/current_keyring.h"
#include "engine/storage.h"
#include "engine/trusted_time.h"

namespace statecpp {

// Removes what has expired, at an interval, on a thread of its own.
//
// The expiry index only says where to look: an entry that is due leads to a
// record, and the expiry sealed in there decides. A refreshed key leaves old
// entries behind, so a due entry is dropped whatever the record says. Each
// removal is conditional on the record that was read, and goes through the
// commit queue like any write: a Set that comes between wins.
//
// Thread-safe.
class Sweeper {
 public:
  Sweeper(const Storage& storage, const CurrentKeyring& keyring,
          CommitQueue& queue, TrustedTime& time, absl::Duration interval);
  ~Sweeper();

  // Zero or less stops sweeping; any other interval counts from now.
  void SetInterval(absl::Duration interval) ABSL_LOCKS_EXCLUDED(mutex_);

  // How many records were removed by sweeps.
  uint64_t swept() const { return swept_.load(std::memory_order_relaxed); }

  // How long the first entry that is due has been so. Zero: none is.
  absl::StatusOr<absl::Duration> Lag() const;

  // One whole sweep on this thread; returns how many records it removed.
  absl::StatusOr<int64_t> Sweep();

 private:
  // Due entries from `from` on, one slice of them, as batches that remove each
  // with its record or on its own.
  struct Slice {
    std::vector<Batch> batches;
    std::vector<bool> removes_record;
    // Where the next slice begins; nullopt: this was the last.
    std::optional<std::string> next;
  };
  absl::StatusOr<Slice> ReadSlice(const std::string& from, absl::Time now);
  std::optional<Batch> BatchFor(const KeyedSnapshot& view,
                                absl::string_view expiry_key,
                                absl::string_view record_key, absl::Time now,
                                bool& removes_record) const;
  absl::StatusOr<int64_t> CommitSlice(const Slice& slice);
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  const Storage& storage_;
  const CurrentKeyring& keyring_;
  CommitQueue& queue_;
  TrustedTime& time_;

  std::atomic<uint64_t> swept_ = 0;
  absl::Mutex mutex_;
  absl::Duration interval_ ABSL_GUARDED_BY(mutex_);
  bool interval_changed_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_SWEEPER_H_
