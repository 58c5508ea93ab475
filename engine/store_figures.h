// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_FIGURES_H_
#define STATECPP_ENGINE_STORE_FIGURES_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/distribution.h"

namespace statecpp {

class CommitQueue;
class LmdbStorage;
class Sweeper;

// What an operator watches of a store (Store::GetFigures). Counted as it goes,
// or looked up without waiting for a commit: a disk that hangs does not keep
// anybody from seeing that it does.
struct StoreFigures {
  // Writes that wait to be committed.
  uint64_t queue_depth;
  // Since the store was opened. A sync is the part of a commit in which LMDB
  // writes its pages and waits for the disk.
  Distribution::Reading commit_time;
  Distribution::Reading sync_time;
  // Writes that shared a commit.
  Distribution::Reading commit_writes;

  uint64_t records;         // expired ones that were not swept included
  uint64_t expiry_entries;  // of a key that is refreshed there may be several
  // Records under each data key; of a plain store under 0.
  std::map<uint32_t, uint64_t> records_by_key;
  uint32_t active_key;

  // Options::max_size, and what is used of it.
  uint64_t max_size;
  uint64_t used_bytes;
  uint64_t free_pages;  // in the file, to be used again
  uint64_t file_bytes;  // what it takes of the disk, with what is set aside
  uint64_t disk_bytes;  // what is left there for this user

  uint64_t readers;
  absl::Duration oldest_reader_age;
  uint64_t oldest_reader_lag;  // commits
  uint64_t cleared_readers;    // of processes that died, since it was opened

  uint64_t swept;  // items, since the store was opened
  // How long the first of the expired items waits to be swept.
  absl::Duration sweep_lag;
};

// Errors as of a read that cannot begin.
absl::StatusOr<StoreFigures> ReadStoreFigures(const LmdbStorage& storage,
                                              const CommitQueue& queue,
                                              const Sweeper& sweeper);

// That of the LMDB which this process has loaded: "0.9.24".
std::string LmdbVersion();

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_FIGURES_H_
