// SPDX-License-Identifier: Apache-2.0
#include "engine/store_figures.h"

#include "engine/commit_queue.h"
#include "engine/lmdb_environment.h"
#include "engine/lmdb_storage.h"
#include "engine/sweeper.h"

namespace statecpp {

absl::StatusOr<StoreFigures> ReadStoreFigures(const LmdbStorage& storage,
                                              const CommitQueue& queue,
                                              const Sweeper& sweeper) {
  const absl::StatusOr<LmdbStorage::Figures> stored = storage.ReadFigures();
  if (!stored.ok()) return stored.status();
  const absl::StatusOr<absl::Duration> sweep_lag = sweeper.Lag();
  if (!sweep_lag.ok()) return sweep_lag.status();
  return StoreFigures{.queue_depth = queue.waiting(),
                      .commit_time = queue.commit_time().Read(),
                      .sync_time = storage.sync_time().Read(),
                      .commit_writes = queue.commit_writes().Read(),
                      .records = stored->accumulator.records(),
                      .expiry_entries = stored->expiry_entries,
                      .records_by_key = stored->accumulator.records_by_key(),
                      .active_key = storage.keyring().Get()->active().key_id,
                      .max_size = stored->max_size,
                      .used_bytes = stored->used_bytes,
                      .free_pages = stored->free_pages,
                      .file_bytes = stored->file_bytes,
                      .disk_bytes = stored->disk_bytes,
                      .readers = stored->readers.readers,
                      .oldest_reader_age = stored->oldest_reader_age,
                      .oldest_reader_lag = stored->readers.Lag(),
                      .cleared_readers = stored->cleared_readers,
                      .swept = sweeper.swept(),
                      .sweep_lag = *sweep_lag};
}

std::string LmdbVersion() { return LmdbEnvironment::Version(); }

}  // namespace statecpp
