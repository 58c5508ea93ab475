// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_LMDB_FILE_H_
#define STATECPP_ENGINE_LMDB_FILE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/lmdb_page.h"

namespace statecpp {

// Looks at an LMDB data file with plain reads, before LMDB maps it: a mapped
// file that is shorter than its own meta page says ends the process with SIGBUS
// at the first page beyond the end, LMDB takes an empty file for a new store,
// and the older of two meta pages for the newer if its number was damaged.
//
// OK: both meta pages are LMDB's, one is of the transaction that follows the
// other's, and the file is as long as the newer one says. DATA_LOSS: it is not;
// the text names what was found and needed. Those of error::System: the file
// cannot be opened or read.
absl::Status CheckLmdbFile(const std::string& file);
// The same of what is open as `fd`, and called `file`.
absl::Status CheckOpenLmdbFile(const std::string& file, int fd);

// Opens a data file to be looked at beside whoever may come: neither a link nor
// a file with another name, under which a process may be writing it, unseen by
// the lock of this folder.
//
// INVALID_ARGUMENT: it is one of these. Those of CheckLmdbFile.
absl::StatusOr<int> OpenLoneLmdbFile(const std::string& file);

// The meta page with the larger number; nullopt where there are no two of
// LMDB's.
std::optional<LmdbMeta> ReadNewerMeta(int fd);

// Whether `fd`, of a file that is open, is still that of `file`.
//
// DATA_LOSS: the file was replaced or removed since. Those of error::System.
absl::Status CheckSameFile(const std::string& file, int fd);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_LMDB_FILE_H_
