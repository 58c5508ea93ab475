// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STATS_READING_H_
#define STATECPP_ENGINE_STATS_READING_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/lmdb_storage.h"
#include "engine/store_stats.h"

namespace statecpp {

// The figures of the store in `folder`; `now` decides what is due.
//
// Those of a read that cannot begin, and of error::System.
absl::StatusOr<StoreStats> ReadStats(const LmdbStorage& storage,
                                     const std::string& folder, absl::Time now);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STATS_READING_H_
