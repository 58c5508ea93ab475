// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_BACKUP_PROOF_H_
#define STATECPP_ENGINE_BACKUP_PROOF_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/backup_folder.h"
#include "engine/lmdb_storage.h"

namespace statecpp {

struct BackupProof {
  uint64_t commit_seq;
  uint64_t records;
};

// Opens the file of a backup anew, which was closed and has no accumulator yet,
// and finds in it what `storage` had at that moment: each record opens, and all
// of them come to the accumulator's sum.
//
// `tell` is called each few megabytes with how many of all entries were looked
// at, and ends this with what it returns if that is not OK.
//
// INTERNAL: what was written is not what is read back; the folder was removed.
// DATA_LOSS: every record opens, but the store's own sum is another; the folder
//     is kept, as it is by every other error.
absl::StatusOr<BackupProof> ProveBackup(
    const LmdbStorage& storage, const LmdbStorage::Moment& moment,
    BackupFolder& folder, void (*on_assertion)(const char* text),
    absl::FunctionRef<absl::Status(uint64_t done, uint64_t total)> tell);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_BACKUP_PROOF_H_
