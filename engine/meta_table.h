// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_META_TABLE_H_
#define STATECPP_ENGINE_META_TABLE_H_

#include "absl/strings/string_view.h"

namespace statecpp {

// The entries of LMDB's table `meta`. Final: these names are on disk.
inline constexpr absl::string_view kHeaderKey = "header";    // store_header.h
inline constexpr absl::string_view kAccumulatorKey = "acc";  // accumulator.h
// The id of the store that an unfinished backup is of (backup_file.h).
inline constexpr absl::string_view kBackupOfKey = "backup-of";

}  // namespace statecpp

#endif  // STATECPP_ENGINE_META_TABLE_H_
