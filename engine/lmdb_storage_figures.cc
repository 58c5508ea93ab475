// SPDX-License-Identifier: Apache-2.0
//
// What LmdbStorage says of itself to whoever watches.
#include <sys/stat.h>

#include "absl/time/clock.h"
#include "engine/file_system.h"
#include "engine/lmdb_storage.h"

namespace statecpp {

int LmdbStorage::ClearReaders() {
  const int cleared = environment_->ClearStaleReaders();
  cleared_readers_.fetch_add(cleared, std::memory_order_relaxed);
  return cleared;
}

void LmdbStorage::Publish() {
  absl::MutexLock lock(&published_mutex_);
  published_ = accumulator_;
  published_max_size_ = reserve_.max_size();
}

absl::StatusOr<LmdbStorage::Figures> LmdbStorage::ReadFigures() const {
  // Before this function is a reader itself.
  ReaderList readers = environment_->Readers();
  const auto txn = environment_->BeginRead();
  if (!txn.ok()) return txn.status();
  readers.last_commit = txn->SnapshotId();
  const absl::StatusOr<uint64_t> live = txn->LivePages();
  if (!live.ok()) return live.status();
  const absl::StatusOr<uint64_t> expiry =
      txn->CountEntries(LmdbEnvironment::Table::kExpiry);
  if (!expiry.ok()) return expiry.status();
  struct stat file = {};
  fstat(environment_->descriptor(), &file);
  const uint64_t pages = environment_->file_pages();
  absl::MutexLock lock(&published_mutex_);
  return Figures{
      .accumulator = published_,
      .max_size = published_max_size_,
      .page_size = environment_->page_size(),
      .used_bytes = *live * environment_->page_size(),
      .free_pages = pages > *live ? pages - *live : 0,
      .file_bytes = uint64_t{512} * file.st_blocks,
      .disk_bytes = FreeBytes(path_).value_or(0),
      .expiry_entries = *expiry,
      .readers = readers,
      .oldest_reader_age = oldest_reader_.AgeOf(readers, absl::Now()),
      .cleared_readers = cleared_readers_.load(std::memory_order_relaxed)};
}

}  // namespace statecpp
