// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_CURRENT_KEYRING_H_
#define STATECPP_ENGINE_CURRENT_KEYRING_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "crypto/keyring.h"
#include "engine/storage.h"

namespace statecpp {

// A snapshot, and a keyring that opens every record in it.
struct KeyedSnapshot {
  std::unique_ptr<Snapshot> snapshot;
  std::shared_ptr<const Keyring> keyring;
};

// The keyring of an open store, which another replaces when a data key comes or
// goes. Whoever reads or writes takes the current one and holds it until done:
//
//   - one that comes is current only when the header that names it is durable,
//     so a record never stands on disk under a key that the header lacks;
//   - a data key goes only when no record is sealed under it and nobody holds a
//     keyring that would still write such a record (MayStillSeal).
//
// Thread-safe.
class CurrentKeyring {
 public:
  explicit CurrentKeyring(std::shared_ptr<const Keyring> keyring)
      : keyring_(std::move(keyring)) {}

  std::shared_ptr<const Keyring> Get() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::ReaderMutexLock lock(&mutex_);
    return keyring_;
  }

  void Replace(std::shared_ptr<const Keyring> keyring)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether a write that seals, or has sealed, under this data key may still be
  // on its way to a commit.
  bool MayStillSeal(uint32_t key_id) const ABSL_LOCKS_EXCLUDED(mutex_);

  // The same of any data key that is no longer the active one.
  bool FormerMayStillSeal() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Errors as for Storage::Read.
  absl::StatusOr<KeyedSnapshot> Read(const Storage& storage) const;

 private:
  // Whether somebody holds a former keyring whose active key is one of those.
  bool FormerActive(absl::FunctionRef<bool(uint32_t key_id)> is_one) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Keyring> keyring_ ABSL_GUARDED_BY(mutex_);
  // Those that were current before; gone when the last who held one is done.
  std::vector<std::weak_ptr<const Keyring>> former_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_CURRENT_KEYRING_H_
