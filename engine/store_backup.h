// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_BACKUP_H_
#define STATECPP_ENGINE_STORE_BACKUP_H_

#include "absl/status/statusor.h"
#include "engine/backup.h"
#include "engine/commit_queue.h"
#include "engine/lmdb_storage.h"

namespace statecpp {

// What Store::Backup does, of a store's parts; `on_assertion` is that of the
// store. Errors as backup.h says.
absl::StatusOr<BackupReport> BackUp(LmdbStorage& storage, CommitQueue& queue,
                                    const BackupRequest& request,
                                    void (*on_assertion)(const char* text));

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_BACKUP_H_
