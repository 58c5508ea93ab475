// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_RESEALER_H_
#define STATECPP_ENGINE_RESEALER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/commit_queue.h"
#include "engine/lmdb_storage.h"

namespace statecpp {

// Seals records anew that are not under the active data key, in the background,
// until none is left. Version, expiry, content type and value stay; the nonce
// is new, as with every seal.
//
// Each record is replaced on the condition that it is still the one that was
// read, through the commit queue like any write: a Set that comes between wins,
// and a writer that compared with the former record looks again and finds the
// same version. A step is short and is followed by a pause as long as itself,
// so that half of the store's time stays for others.
//
// What is left to do is what the accumulator counts, so nothing need be
// remembered for a restart: a store that is opened with records under another
// key goes on by itself.
//
// Thread-safe.
class Resealer {
 public:
  struct State {
    // Records that are not under the active data key.
    uint64_t left = 0;
    bool running = false;
    // Re-sealed since the store was opened.
    uint64_t done = 0;
    // Left as they are in the last pass, because they do not open: `left` does
    // not fall below this before they are overwritten or deleted.
    uint64_t damaged = 0;
    // Why the last pass stopped early; it is tried again after a while.
    absl::Status error = absl::OkStatus();
  };

  // Begins at once if there is something to do. The references outlive this.
  Resealer(const LmdbStorage& storage, CommitQueue& queue);
  ~Resealer();

  // There may be something to do.
  void Wake() ABSL_LOCKS_EXCLUDED(mutex_);

  State state() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until nothing, or nothing that opens, is left and no write under a
  // former data key is on its way, or the pass failed. False after `timeout`.
  bool WaitUntilIdle(absl::Duration timeout) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Records from some key on, sealed anew, one batch each.
  struct Slice {
    // By which they are sealed; held until they are committed, so that the data
    // key is not retired before.
    std::shared_ptr<const Keyring> keyring;
    std::vector<Batch> batches;
    uint64_t damaged = 0;
    // Where the next slice begins; nullopt: this was the last.
    std::optional<std::string> next;
  };

  uint64_t CountLeft() const;
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status PassUntilDone() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Pass() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<Slice> ReadSlice(const std::string& from) const;
  absl::Status CommitSlice(const Slice& slice) ABSL_LOCKS_EXCLUDED(mutex_);
  // True when this is to end.
  bool Pause(absl::Duration duration) ABSL_LOCKS_EXCLUDED(mutex_);

  const LmdbStorage& storage_;
  CommitQueue& queue_;

  mutable absl::Mutex mutex_;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool woken_ ABSL_GUARDED_BY(mutex_) = true;
  State state_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_RESEALER_H_
