// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_META_H_
#define STATECPP_ENGINE_STORE_META_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace statecpp {

// The table `meta` (meta_table.h), as it stands, of a store whose folder this
// process holds and nobody has open; empty where an entry is missing. Nothing
// is written to the data file, which was checked (lmdb_file.h).
//
// Those of LmdbEnvironment::Open.
struct StoreMeta {
  std::string header;
  std::string accumulator;
  // Of the pages that hold something.
  uint64_t used_bytes;
};
absl::StatusOr<StoreMeta> ReadStoreMeta(const std::string& folder);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_META_H_
