// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_RESTORE_H_
#define STATECPP_ENGINE_STORE_RESTORE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "engine/store_copy.h"

namespace statecpp {

// Makes a store of a backup (backup.h), or of any closed store:
//
//   absl::StatusOr<RestoreReport> report = RestoreStore(
//       {.path = "/backup/orders-2026-11-23", .keys = keys}, "data/orders");
//
// The backup is looked at as a whole before anything is written: every record
// is opened, and all of them are those that its accumulator counts. Then it is
// copied aside, as store_copy.h has it, the copy is opened and compared, made
// durable, and moved to its place, where there was nothing. The backup stays as
// it is.
//
// What is restored goes on as the store did: same identity, keys, ETags and
// expiry. ETags are drawn at random, so none of those that were given after the
// backup was made will be given again.
//
// `from.path` is the backup; its folder has to be writable, for the locks in
// it.
//
// ALREADY_EXISTS: there is something at `path`; a folder without files may be.
// NOT_FOUND: there is no backup; or no folder to make the store in.
// UNAVAILABLE: somebody has the backup open.
// PERMISSION_DENIED: the backup is sealed, and no key was given or none opens
//     it; or a folder may not be written.
// DATA_LOSS: the backup is damaged, or was never completed.
// RESOURCE_EXHAUSTED, CANCELLED, INTERNAL: as of CompactStore.
// UNKNOWN: the store is in place, but whether it is after a power cut is not
//     known.
// After every other error there is nothing at the path.
struct RestoreReport {
  uint64_t records = 0;
  // The last that is in it.
  uint64_t commit_seq = 0;
  // Of data.mdb.
  uint64_t bytes = 0;
  bool sealed = false;
};
absl::StatusOr<RestoreReport> RestoreStore(const CopyOptions& from,
                                           const std::string& path);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_RESTORE_H_
