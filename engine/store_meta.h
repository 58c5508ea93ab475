// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_META_H_
#define STATECPP_ENGINE_STORE_META_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace statecpp {

// The names, in the table `meta`, of what a store knows of itself: its header
// (store_header.h) and its accumulator (accumulator.h). On disk for good.
inline constexpr absl::string_view kHeaderKey = "header";
inline constexpr absl::string_view kAccumulatorKey = "acc";

// Both, as they stand, of a store whose folder this process holds and nobody
// has open; empty where one is missing. Nothing is written to the data file,
// which was checked (lmdb_file.h).
//
// Those of LmdbEnvironment::Open.
struct StoreMeta {
  std::string header;
  std::string accumulator;
};
absl::StatusOr<StoreMeta> ReadStoreMeta(const std::string& folder);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_META_H_
