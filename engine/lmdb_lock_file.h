// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_LMDB_LOCK_FILE_H_
#define STATECPP_ENGINE_LMDB_LOCK_FILE_H_

#include <sys/types.h>

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

// The lock file by which an LMDB environment that is open and whoever opens one
// beside it know of each other. Who has it open goes on without harm if it is
// removed. Who comes then makes another, and reads pages that are meanwhile
// written anew: all sorts of damage that there is not.
//
// Thread-safe.
class LockFileInUse {
 public:
  // Made once LMDB has the environment in `folder` open.
  explicit LockFileInUse(std::string folder);

  // ABORTED: the file was replaced or removed since.
  absl::Status Check() const;

 private:
  std::string file_;
  dev_t device_ = 0;
  ino_t number_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_LMDB_LOCK_FILE_H_
