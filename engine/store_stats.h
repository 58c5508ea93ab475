// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_STATS_H_
#define STATECPP_ENGINE_STORE_STATS_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace statecpp {

// Figures of a store at this moment, for whoever runs it. Read in a time that
// does not grow with the store.
struct StoreStats {
  // Of the format that the store was made in (docs/format.md).
  int format = 0;

  uint64_t commit_seq = 0;  // LMDB transactions committed since creation
  uint64_t open_count = 0;  // times opened since creation
  uint64_t records = 0;     // items on disk, expired ones included
  uint64_t used_bytes = 0;  // of max_size
  uint64_t max_size = 0;

  // Pages of the file: those that hold something, which are used_bytes, and
  // those that are free and will be used again.
  uint32_t page_size = 0;
  uint64_t used_pages = 0;
  uint64_t free_pages = 0;

  // The length of data.mdb, what it takes of the disk, which may be less or
  // more, and what others may still take of that.
  uint64_t file_bytes = 0;
  uint64_t file_bytes_on_disk = 0;
  uint64_t disk_free_bytes = 0;

  // Snapshots that are held now, here and in other processes, and how many
  // commits came after the oldest: what these free cannot be used again yet.
  uint64_t readers = 0;
  uint64_t oldest_reader_lag = 0;

  // Entries of the expiry index; a key that was written again has several.
  uint64_t expiry_entries = 0;
  // Those whose time has come, which the next sweep looks at, counted up to
  // kMaxDueEntries; and since when the first of them waits.
  uint64_t due_entries = 0;
  std::optional<absl::Time> due_since = std::nullopt;

  static constexpr uint64_t kMaxDueEntries = 10000;

  bool operator==(const StoreStats&) const = default;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_STATS_H_
