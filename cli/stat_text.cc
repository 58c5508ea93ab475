// SPDX-License-Identifier: Apache-2.0
#include "cli/stat_text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

// With 5 of 10: "50.0 %".
std::string Share(uint64_t part, uint64_t whole) {
  if (whole == 0) return "0.0 %";
  return absl::StrFormat("%.1f %%", 100.0 * static_cast<double>(part) /
                                        static_cast<double>(whole));
}

std::string Slots(const KeysStatus& keys) {
  return absl::StrJoin(
      keys.slots, ", ", [](std::string* out, const KeysStatus::Slot& slot) {
        absl::StrAppend(out, slot.name, " (", slot.fingerprint, ")");
      });
}

std::string DataKeys(const KeysStatus& keys) {
  return absl::StrJoin(keys.data_keys, ", ",
                       [](std::string* out, const KeysStatus::DataKey& key) {
                         absl::StrAppend(out, key.id,
                                         key.active ? " (active, " : " (",
                                         key.records, " records)");
                       });
}

std::string DueText(const StoreStats& stats, absl::Time now) {
  std::string text = absl::StrCat(
      stats.due_entries,
      stats.due_entries >= StoreStats::kMaxDueEntries ? " or more" : "",
      " due");
  if (stats.due_since.has_value()) {
    const absl::Duration late =
        std::max(now - *stats.due_since, absl::ZeroDuration());
    absl::StrAppend(&text, ", the first for ",
                    absl::FormatDuration(absl::Trunc(late, absl::Seconds(1))));
  }
  return text;
}

const char* Boolean(bool value) { return value ? "true" : "false"; }

}  // namespace

std::string SizeText(uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return absl::StrCat(bytes, " bytes");
  double size = static_cast<double>(bytes) / 1024;
  int unit = 0;
  while (size >= 1024 && unit < 3) {
    size /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", size, kUnits[unit]);
}

std::string StatText(const StatView& view, absl::Time now) {
  const StoreStats& stats = view.stats;
  std::string text =
      absl::StrCat("store:        ", view.store, view.served ? ", served" : "",
                   "\n", "format:       ", stats.format, ", ",
                   view.keys.sealed ? "sealed" : "in clear: not sealed",
                   ", store id ", view.keys.store_id, "\n");
  absl::StrAppend(&text, "items:        ", stats.records,
                  ", those included that have ",
                  "expired and are not swept yet\n",  //
                  "in use:       ", SizeText(stats.used_bytes), " in ",
                  stats.used_pages, " pages of ", stats.page_size);
  if (view.knows_max_size) {
    absl::StrAppend(&text, ", ", Share(stats.used_bytes, stats.max_size),
                    " of maxSize ", SizeText(stats.max_size));
  }
  absl::StrAppend(&text, "\nfree pages:   ", stats.free_pages,
                  ", which are used again before the file grows\n",
                  "file:         ", SizeText(stats.file_bytes), ", ",
                  SizeText(stats.file_bytes_on_disk), " on disk, which has ",
                  SizeText(stats.disk_free_bytes), " left\n");
  absl::StrAppend(&text, "commits:      ", stats.commit_seq,
                  " since it was made, opened ", stats.open_count, " times\n",
                  "readers:      ", stats.readers, ", the oldest ",
                  stats.oldest_reader_lag, " commits behind\n",
                  "expiry index: ", stats.expiry_entries, " entries, ",
                  DueText(stats, now), "\n");
  if (!view.keys.sealed) return text;
  absl::StrAppend(&text, "key slots:    ", Slots(view.keys), "\n",
                  "data keys:    ", DataKeys(view.keys), "\n");
  return text;
}

std::string StatJson(const StatView& view) {
  const StoreStats& stats = view.stats;
  std::string json = absl::StrCat(
      "{\"store\":", JsonText(view.store), ",\"served\":", Boolean(view.served),
      ",\"format\":", stats.format, ",\"sealed\":", Boolean(view.keys.sealed),
      ",\"storeId\":", JsonText(view.keys.store_id),
      ",\"items\":", stats.records, ",\"usedBytes\":", stats.used_bytes);
  absl::StrAppend(
      &json, ",\"maxSize\":",
      view.knows_max_size ? absl::StrCat(stats.max_size) : "null",
      ",\"pageSize\":", stats.page_size, ",\"usedPages\":", stats.used_pages,
      ",\"freePages\":", stats.free_pages, ",\"fileBytes\":", stats.file_bytes,
      ",\"fileBytesOnDisk\":", stats.file_bytes_on_disk,
      ",\"diskFreeBytes\":", stats.disk_free_bytes);
  absl::StrAppend(&json, ",\"commits\":", stats.commit_seq,
                  ",\"opened\":", stats.open_count,
                  ",\"readers\":", stats.readers,
                  ",\"oldestReaderLag\":", stats.oldest_reader_lag,
                  ",\"expiryEntries\":", stats.expiry_entries,
                  ",\"dueEntries\":", stats.due_entries, ",\"dueSince\":");
  absl::StrAppend(&json, stats.due_since.has_value()
                             ? JsonText(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ",
                                                         *stats.due_since,
                                                         absl::UTCTimeZone()))
                             : "null");
  return json + "}\n";
}

}  // namespace statecpp
