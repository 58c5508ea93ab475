// SPDX-License-Identifier: Apache-2.0
#include "engine/current_keyring.h"

#include <algorithm>
#include <utility>

namespace statecpp {

void CurrentKeyring::Replace(std::shared_ptr<const Keyring> keyring) {
  absl::MutexLock lock(&mutex_);
  std::erase_if(former_, [](const std::weak_ptr<const Keyring>& former) {
    return former.expired();
  });
  former_.push_back(keyring_);
  // Outlives the lock: the last to let go of a keyring wipes its keys.
  keyring_.swap(keyring);
}

bool CurrentKeyring::MayStillSeal(uint32_t key_id) const {
  absl::ReaderMutexLock lock(&mutex_);
  return keyring_->active().key_id == key_id ||
         FormerActive([key_id](uint32_t other) { return other == key_id; });
}

bool CurrentKeyring::FormerMayStillSeal() const {
  absl::ReaderMutexLock lock(&mutex_);
  const uint32_t active = keyring_->active().key_id;
  return FormerActive([active](uint32_t other) { return other != active; });
}

bool CurrentKeyring::FormerActive(
    absl::FunctionRef<bool(uint32_t key_id)> is_one) const {
  return std::any_of(former_.begin(), former_.end(),
                     [is_one](const std::weak_ptr<const Keyring>& former) {
                       const std::shared_ptr<const Keyring> held =
                           former.lock();
                       return held != nullptr && is_one(held->active().key_id);
                     });
}

absl::StatusOr<KeyedSnapshot> CurrentKeyring::Read(
    const Storage& storage) const {
  for (;;) {
    std::shared_ptr<const Keyring> keyring = Get();
    absl::StatusOr<std::unique_ptr<Snapshot>> snapshot = storage.Read();
    if (!snapshot.ok()) return snapshot.status();
    // Were it replaced in between, the snapshot might hold a record under a key
    // that only the new one has.
    if (keyring == Get()) return KeyedSnapshot{*std::move(snapshot), keyring};
  }
}

}  // namespace statecpp
