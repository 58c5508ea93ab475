// SPDX-License-Identifier: Apache-2.0
#include "engine/store_keys.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "crypto/random.h"
#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/record.h"
#include "engine/store_header.h"

namespace statecpp {
namespace {

// The header's count of them is 16 bits wide.
constexpr size_t kMaxDataKeys = std::numeric_limits<uint16_t>::max();

// How long Retire waits for writes in flight.
constexpr absl::Duration kRetireWait = absl::Seconds(5);
constexpr absl::Duration kRetirePoll = absl::Milliseconds(5);

// A number that no slot has.
uint8_t FreeIndex(const std::vector<KeySlot>& slots) {
  uint8_t index = 0;
  while (std::any_of(slots.begin(), slots.end(), [index](const KeySlot& slot) {
    return slot.index == index;
  })) {
    ++index;
  }
  return index;
}

std::vector<KeySlot>::const_iterator FindSlot(const std::vector<KeySlot>& slots,
                                              absl::string_view name) {
  return std::find_if(slots.begin(), slots.end(), [name](const KeySlot& slot) {
    return slot.name == name;
  });
}

bool Opens(const KeySlot& slot, const MasterKey& key, const StoreId& store_id) {
  return OpenSlot(slot, key, store_id).outcome == SlotOpening::Outcome::kOpened;
}

absl::Status CheckNewSlot(const StoreHeader& header, const MasterKey& key) {
  if (!IsMasterKeyName(key.name())) return error::BadKeyName(key.name());
  if (header.slots.size() == kMaxKeySlots) {
    return error::SlotsFull(kMaxKeySlots);
  }
  if (FindSlot(header.slots, key.name()) != header.slots.end()) {
    return error::SlotNameTaken(key.name());
  }
  for (const KeySlot& slot : header.slots) {
    if (Opens(slot, key, header.store_id)) return error::KeyHasSlot(slot.name);
  }
  return absl::OkStatus();
}

// The changed header, which opens: one that did not would be the store's end.
absl::StatusOr<LmdbStorage::NewHeader> Sealed(
    const StoreHeader& header, std::shared_ptr<const Keyring> keyring,
    absl::string_view path) {
  if (keyring == nullptr) {
    return error::HeaderDamaged(path, "a data key in it does not open");
  }
  std::string bytes = SealHeader(header, *keyring, SystemRandom());
  const absl::StatusOr<OpenedHeader> opened =
      OpenHeaderByRoot(bytes, keyring->root(), path);
  if (!opened.ok()) return opened.status();
  return LmdbStorage::NewHeader{std::move(bytes), std::move(keyring)};
}

}  // namespace

absl::StatusOr<StoreKeys::Status> StoreKeys::GetStatus() const {
  const absl::StatusOr<std::string> bytes = storage_.ReadHeader();
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<StoreHeader> header = ReadHeader(*bytes, path_);
  if (!header.ok()) return header.status();
  const Accumulator accumulator = storage_.accumulator();
  Status status = KeysStatusOf(*header, &accumulator);
  status.resealer = resealer_.state();
  return status;
}

absl::Status StoreKeys::CheckKeys(const MasterKeys* keys) const {
  const absl::StatusOr<std::string> bytes = storage_.ReadHeader();
  if (!bytes.ok()) return bytes.status();
  return OpenHeader(*bytes, keys, path_).status();
}

absl::Status StoreKeys::Change(LmdbStorage::HeaderChange change) {
  if (absl::Status health = queue_.health(); !health.ok()) return health;
  if (!storage_.keyring().Get()->sealed()) return error::NoKeysInPlainStore();
  absl::Status changed = storage_.ChangeHeader(change);
  if (absl::IsUnknown(changed)) queue_.Fail(changed);
  return changed;
}

absl::Status StoreKeys::AddSlot(const MasterKey& key) {
  absl::MutexLock lock(&mutex_);
  const std::shared_ptr<const Keyring> keyring = storage_.keyring().Get();
  if (!keyring->sealed()) return error::NoKeysInPlainStore();
  const absl::StatusOr<std::string> bytes = storage_.ReadHeader();
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<StoreHeader> header = ReadHeader(*bytes, path_);
  if (!header.ok()) return header.status();
  if (absl::Status fits = CheckNewSlot(*header, key); !fits.ok()) return fits;
  // Before the commit, which a passphrase would hold up.
  header->slots.push_back(SealSlot(key, keyring->root(), header->store_id,
                                   FreeIndex(header->slots), SystemRandom()));
  if (!Opens(header->slots.back(), key, header->store_id)) {
    return error::HeaderDamaged(path_, "the new slot does not open");
  }
  return Change([&](absl::string_view, const Accumulator&) {
    return Sealed(*header, keyring, path_);
  });
}

absl::Status StoreKeys::RemoveSlot(absl::string_view name,
                                   const MasterKeys& remaining) {
  absl::MutexLock lock(&mutex_);
  const std::shared_ptr<const Keyring> keyring = storage_.keyring().Get();
  if (!keyring->sealed()) return error::NoKeysInPlainStore();
  const absl::StatusOr<std::string> bytes = storage_.ReadHeader();
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<StoreHeader> header = ReadHeader(*bytes, path_);
  if (!header.ok()) return header.status();
  const auto slot = FindSlot(header->slots, name);
  if (slot == header->slots.end()) {
    return error::SlotUnknown(name, header->slots);
  }
  if (header->slots.size() == 1) return error::LastSlot(name);
  header->slots.erase(slot);
  const bool one_opens = std::any_of(
      header->slots.begin(), header->slots.end(), [&](const KeySlot& other) {
        return std::any_of(remaining.begin(), remaining.end(),
                           [&](const MasterKey& key) {
                             return Opens(other, key, header->store_id);
                           });
      });
  if (!one_opens) return error::LastOpenableSlot(name);
  return Change([&](absl::string_view, const Accumulator&) {
    return Sealed(*header, keyring, path_);
  });
}

absl::StatusOr<uint32_t> StoreKeys::Rotate() {
  absl::MutexLock lock(&mutex_);
  const std::shared_ptr<const Keyring> keyring = storage_.keyring().Get();
  uint32_t id = 0;
  const absl::Status changed =
      Change([&](absl::string_view bytes,
                 const Accumulator&) -> absl::StatusOr<LmdbStorage::NewHeader> {
        absl::StatusOr<StoreHeader> header = ReadHeader(bytes, path_);
        if (!header.ok()) return header.status();
        if (header->data_keys.size() == kMaxDataKeys) {
          return error::TooManyDataKeys(kMaxDataKeys);
        }
        id = header->next_key_id++;
        header->data_keys.push_back(Keyring::NewDataKey(
            keyring->root(), header->store_id, id, SystemRandom()));
        header->active_key_id = id;
        return Sealed(*header, keyring->WithDataKeys(header->data_keys, id),
                      path_);
      });
  if (!changed.ok()) return changed;
  resealer_.Wake();
  return id;
}

absl::Status StoreKeys::Retire(uint32_t id) {
  absl::MutexLock lock(&mutex_);
  const CurrentKeyring& current = storage_.keyring();
  if (!current.Get()->sealed()) return error::NoKeysInPlainStore();
  if (current.Get()->active().key_id == id) return error::DataKeyActive(id);
  if (current.Get()->Find(Algorithm::kXChaCha20Poly1305, id) == nullptr) {
    return error::DataKeyUnknown(id);
  }
  // It is not active, so once nobody holds a keyring by which it is, nobody
  // ever will.
  const absl::Time deadline = absl::Now() + kRetireWait;
  while (current.MayStillSeal(id)) {
    if (absl::Now() > deadline) return error::DataKeyMayStillSeal(id);
    absl::SleepFor(kRetirePoll);
  }
  const absl::StatusOr<uint64_t> seen = CountRecordsUnder(id);
  if (!seen.ok()) return seen.status();
  if (*seen > 0 && !STATECPP_SABOTAGE("retire-keys-in-use")) {
    return error::DataKeyInUse(id, *seen);
  }
  return Change([&](absl::string_view bytes, const Accumulator& accumulator)
                    -> absl::StatusOr<LmdbStorage::NewHeader> {
    const auto count = accumulator.records_by_key().find(id);
    if (count != accumulator.records_by_key().end() &&
        !STATECPP_SABOTAGE("retire-keys-in-use")) {
      return error::DataKeyInUse(id, count->second);
    }
    absl::StatusOr<StoreHeader> header = ReadHeader(bytes, path_);
    if (!header.ok()) return header.status();
    std::erase_if(header->data_keys,
                  [id](const WrappedDataKey& key) { return key.id == id; });
    return Sealed(
        *header,
        current.Get()->WithDataKeys(header->data_keys, header->active_key_id),
        path_);
  });
}

// Including damaged ones, as far as they say.
absl::StatusOr<uint64_t> StoreKeys::CountRecordsUnder(uint32_t id) const {
  constexpr size_t kSliceRecords = 4096;
  uint64_t count = 0;
  std::optional<std::string> from = "";
  while (from.has_value()) {
    const absl::StatusOr<std::unique_ptr<Snapshot>> snapshot = storage_.Read();
    if (!snapshot.ok()) return snapshot.status();
    const std::string begin = *std::exchange(from, std::nullopt);
    size_t seen = 0;
    const absl::Status scanned = (*snapshot)->Scan(
        Space::kRecords, begin,
        [&](absl::string_view key, absl::string_view record) {
          if (++seen > kSliceRecords) {
            from = std::string(key);
            return false;
          }
          const absl::StatusOr<RecordFrame> frame = RecordFrame::Parse(record);
          if (frame.ok() && frame->key_id == id) ++count;
          return true;
        });
    if (!scanned.ok()) return scanned;
  }
  return count;
}

bool StoreKeys::WaitForResealer(absl::Duration timeout) const {
  return resealer_.WaitUntilIdle(timeout);
}

}  // namespace statecpp
