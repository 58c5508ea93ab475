// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_META_H_
#define STATECPP_ENGINE_STORE_META_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace statecpp {

// The table `meta` (meta_table.h), as it stands, of a store that nobody has
// open; empty where an entry is missing.
//
// A look: nothing in the folder is made, written, synced or removed, and it may
// be one that cannot be written. The store's lock is held shared meanwhile,
// where it has a lock file, and no longer. `on_assertion` may be null.
//
// UNAVAILABLE: it is open, or was opened meanwhile; the text names the holder.
// INVALID_ARGUMENT: a process may write data.mdb under another name, or LOCK
//     is no file.
// DATA_LOSS: the file is damaged.
// Those of StoreFolder::CheckThere and LmdbEnvironment::Open.
struct StoreMeta {
  std::string header;
  std::string accumulator;
  // Of the pages that hold something.
  uint64_t used_bytes;
};
absl::StatusOr<StoreMeta> ReadStoreMeta(const std::string& folder,
                                        void (*on_assertion)(const char* text));

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_META_H_
