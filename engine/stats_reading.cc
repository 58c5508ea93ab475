// SPDX-License-Identifier: Apache-2.0
#include "engine/stats_reading.h"

#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "engine/accumulator.h"
#include "engine/errors.h"
#include "engine/file_system.h"
#include "engine/keys.h"
#include "engine/storage.h"
#include "engine/store_header.h"

namespace statecpp {
namespace {

constexpr uint64_t kBlock = 512;  // of st_blocks

absl::Status ReadFile(const std::string& folder, StoreStats& stats) {
  const std::string file = folder + "/data.mdb";
  struct stat info;
  if (stat(file.c_str(), &info) != 0) {
    return error::System("look at", file, errno);
  }
  stats.file_bytes = static_cast<uint64_t>(info.st_size);
  stats.file_bytes_on_disk = static_cast<uint64_t>(info.st_blocks) * kBlock;
  const absl::StatusOr<uint64_t> free = FreeBytes(folder);
  if (!free.ok()) return free.status();
  stats.disk_free_bytes = *free;
  return absl::OkStatus();
}

// Entries stand in the order of their times.
absl::Status ReadDue(const LmdbStorage& storage, absl::Time now,
                     StoreStats& stats) {
  const absl::StatusOr<std::unique_ptr<Snapshot>> view = storage.Read();
  if (!view.ok()) return view.status();
  return (*view)->Scan(
      Space::kExpiry, "", [&](absl::string_view key, absl::string_view) {
        const std::optional<ExpiryEntry> entry = ParseExpiryKey(key);
        if (entry.has_value() && entry->due > now) return false;
        if (entry.has_value() && !stats.due_since.has_value()) {
          stats.due_since = entry->due;
        }
        return ++stats.due_entries < StoreStats::kMaxDueEntries;
      });
}

}  // namespace

absl::StatusOr<StoreStats> ReadStats(const LmdbStorage& storage,
                                     const std::string& folder,
                                     absl::Time now) {
  const absl::StatusOr<LmdbStorage::Figures> figures = storage.ReadFigures();
  if (!figures.ok()) return figures.status();
  const absl::StatusOr<std::string> header = storage.ReadHeader();
  if (!header.ok()) return header.status();
  const Accumulator& accumulator = figures->accumulator;
  StoreStats stats = {
      .format = FormatOfHeader(*header),
      .commit_seq = accumulator.commit_seq(),
      .open_count = accumulator.open_count(),
      .records = accumulator.records(),
      .used_bytes = figures->used_bytes,
      .max_size = figures->max_size,
      .page_size = figures->page_size,
      .used_pages = figures->used_bytes / figures->page_size,
      .free_pages = figures->free_pages,
      .readers = figures->readers.readers,
      .oldest_reader_lag = figures->readers.Lag(),
      .expiry_entries = figures->expiry_entries,
  };
  if (absl::Status read = ReadFile(folder, stats); !read.ok()) return read;
  if (absl::Status read = ReadDue(storage, now, stats); !read.ok()) return read;
  return stats;
}

}  // namespace statecpp
