// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_KEYS_H_
#define STATECPP_ENGINE_STORE_KEYS_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "crypto/master_key.h"
#include "engine/commit_queue.h"
#include "engine/keys_status.h"
#include "engine/lmdb_storage.h"
#include "engine/resealer.h"

namespace statecpp {

// The keys of an open sealed store, as its owner changes them while it serves:
//
//   key slots   hold the root key sealed under a master key each. To replace a
//               master key, add a slot for the new one, hand it to everybody
//               who opens the store, and remove the old slot. Records stay as
//               they are.
//   data keys   seal the records. To replace one, rotate: new records are
//               sealed under a new data key at once, the others are re-sealed
//               in the background, keeping ETag, expiry and content. When none
//               is left under the old one, retire it.
//
//   StoreKeys& keys = store->keys();
//   absl::Status added = keys.AddSlot(new_master_key);
//   absl::StatusOr<uint32_t> id = keys.Rotate();
//
// Each change is one durable step: after a crash it happened or it did not.
// What a change leaves in free pages of the file (former slots, former data
// keys, wrapped as they were) is gone when the store is compacted.
//
// Every call but GetStatus and CheckKeys fails on a plain store with
// INVALID_ARGUMENT. Thread-safe.
class StoreKeys {
 public:
  using Status = KeysStatus;

  // All references outlive this.
  StoreKeys(LmdbStorage& storage, CommitQueue& queue, Resealer& resealer,
            std::string path)
      : storage_(storage),
        queue_(queue),
        resealer_(resealer),
        path_(std::move(path)) {}

  absl::StatusOr<Status> GetStatus() const;

  // Whether one of these keys opens the store: what Store::Open would say.
  //
  // PERMISSION_DENIED: none does, or the store is sealed and `keys` is null.
  // INVALID_ARGUMENT: the store is plain, and `keys` is not null.
  absl::Status CheckKeys(const MasterKeys* keys) const;

  // From now on `key` opens the store, too. The new slot is opened before it
  // is written. Runs Argon2id if `key` is a passphrase.
  //
  // ALREADY_EXISTS: a slot has that name, or the key opens a slot already.
  // INVALID_ARGUMENT: there are kMaxKeySlots slots, or the key's name is none.
  absl::Status AddSlot(const MasterKey& key) ABSL_LOCKS_EXCLUDED(mutex_);

  // From now on the key of that slot does not open the store. `remaining` are
  // the keys that its owner will open it with from now on.
  //
  // NOT_FOUND: there is no such slot.
  // INVALID_ARGUMENT: it is the only slot, or the only one that `remaining`
  //     open.
  absl::Status RemoveSlot(absl::string_view name, const MasterKeys& remaining)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Makes a new data key, seals new records under it, and has the others
  // re-sealed in the background. Returns its id. A rotation that is not done
  // yet is no obstacle.
  absl::StatusOr<uint32_t> Rotate() ABSL_LOCKS_EXCLUDED(mutex_);

  // Forgets a data key that no record is sealed under any more, which the
  // accumulator and a look at every record must agree on.
  //
  // NOT_FOUND: there is no such data key.
  // INVALID_ARGUMENT: it is the active one, or records are sealed under it.
  // UNAVAILABLE: a write under it is still on its way after some seconds.
  absl::Status Retire(uint32_t id) ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until no record is left to be re-sealed, or the re-sealing stopped.
  // False after `timeout`.
  bool WaitForResealer(absl::Duration timeout) const;

 private:
  absl::Status Change(LmdbStorage::HeaderChange change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<uint64_t> CountRecordsUnder(uint32_t id) const;

  LmdbStorage& storage_;
  CommitQueue& queue_;
  Resealer& resealer_;
  const std::string path_;

  // One change at a time.
  absl::Mutex mutex_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_KEYS_H_
