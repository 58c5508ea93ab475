// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_KEYS_STATUS_H_
#define STATECPP_ENGINE_KEYS_STATUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/master_key.h"
#include "engine/accumulator.h"
#include "engine/options.h"
#include "engine/resealer.h"
#include "engine/store_header.h"

namespace statecpp {

// What may be said of a store's keys: nothing here is a secret.
struct KeysStatus {
  struct Slot {
    std::string name;
    bool passphrase;
    // The first four bytes of its check value, in hex: which key this is, and
    // nothing of what it is.
    std::string fingerprint;
  };
  struct DataKey {
    uint32_t id;
    bool active;
    // Sealed under it, as the store's accumulator proves.
    uint64_t records;
  };
  std::string store_id;  // hex
  bool sealed;
  std::vector<Slot> slots;
  std::vector<DataKey> data_keys;
  // False: without a key, no number of records can be read. They are 0 here.
  bool counted;
  uint64_t records;
  Resealer::State resealer;
};

KeysStatus::Slot SlotStatus(const KeySlot& slot);

// `accumulator` may be null.
KeysStatus KeysStatusOf(const StoreHeader& header,
                        const Accumulator* accumulator);

// The keys of a store that nobody has open, as it stands on disk, which may be
// one that cannot be written: changes nothing at all, and makes no lock file.
// Of `options` it takes `path`, `keys`, of which none are needed, and
// `on_assertion`.
//
// NOT_FOUND: there is no store.
// UNAVAILABLE: it is open elsewhere; the text names the holder.
// INVALID_ARGUMENT: its data.mdb is a link, or has another name, under which
//     a process may be writing it.
// PERMISSION_DENIED: keys were given, and none opens the sealed store.
// DATA_LOSS: the file or its header is damaged.
absl::StatusOr<KeysStatus> PeekKeys(const Options& options);

// The same, and how full the store is.
struct StorePeek {
  KeysStatus keys;
  // What counts towards max_size.
  uint64_t used_bytes;
};
absl::StatusOr<StorePeek> PeekStore(const Options& options);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_KEYS_STATUS_H_
