// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_LMDB_LOCK_FILE_H_
#define STATECPP_ENGINE_LMDB_LOCK_FILE_H_

#include <string>

#include "absl/status/status.h"

namespace statecpp {

// Sees to it that every block of `folder`/lock.mdb, with slots for so many
// readers, is on disk before LMDB maps it.
//
// LMDB maps its lock file with holes and writes into the map, which ends the
// process with SIGBUS where the disk has no block for a hole: as soon as a
// store is opened, or later when a reader takes a slot that nobody had before.
//
// Only for who holds the folder's lock: closing a descriptor of the file, as
// this does, drops the locks that LMDB has on it.
//
// RESOURCE_EXHAUSTED: the disk is full. Those of error::System: the file cannot
// be opened.
absl::Status AllocateLockFile(const std::string& folder, unsigned readers);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_LMDB_LOCK_FILE_H_
