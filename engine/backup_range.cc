// SPDX-License-Identifier: Apache-2.0
#include "engine/backup_range.h"

#include <algorithm>
#include <utility>

#include "engine/record.h"

namespace statecpp {
namespace {

// Of keys that are dropped, in memory at once.
constexpr size_t kMostOthers = 4096;

// Entries by expiry have no value.
absl::string_view TokenOf(Space space, absl::string_view value) {
  return space == Space::kRecords ? RecordToken(value) : value;
}

}  // namespace

absl::StatusOr<BackupRange> BackupRange::Of(const Snapshot& snapshot,
                                            Space space,
                                            const std::string& from,
                                            const BackupBounds& bounds) {
  BackupRange range(space, from);
  const BackupGauge gauge(bounds);
  uint64_t bytes = 0;
  const absl::Status scanned = snapshot.Scan(
      space, from, [&](absl::string_view key, absl::string_view value) {
        if (gauge.IsFull(range.seen_.size(), bytes)) {
          range.next_ = std::string(key);
          return false;
        }
        const absl::string_view token = TokenOf(space, value);
        bytes += key.size() + token.size();
        range.seen_.push_back(
            {std::string(key), std::string(token), value.size()});
        return true;
      });
  if (!scanned.ok()) return scanned;
  return range;
}

absl::StatusOr<std::vector<ChangedKeys::Place>> BackupRange::Compare(
    BackupFile& file) const {
  if (const absl::Status dropped = DropOthers(file); !dropped.ok()) {
    return dropped;
  }
  std::vector<ChangedKeys::Place> lacking;
  const absl::StatusOr<bool> is_new = file.IsBehindAll(space_, from_);
  if (!is_new.ok()) return is_new.status();
  for (const Seen& seen : seen_) {
    if (!*is_new) {
      const absl::StatusOr<std::optional<absl::string_view>> there =
          file.Get(space_, seen.key);
      if (!there.ok()) return there.status();
      if (there->has_value() && (*there)->size() == seen.size &&
          TokenOf(space_, **there) == seen.token) {
        continue;
      }
    }
    lacking.emplace_back(space_, seen.key);
  }
  return lacking;
}

absl::Status BackupRange::DropOthers(BackupFile& file) const {
  std::string from = from_;
  for (;;) {
    const absl::StatusOr<std::vector<std::string>> others =
        FindOthers(file, from);
    if (!others.ok()) return others.status();
    for (const std::string& other : *others) {
      const absl::Status dropped = file.Delete(space_, other);
      if (!dropped.ok()) return dropped;
    }
    if (others->size() < kMostOthers) return absl::OkStatus();
    from = others->back();
  }
}

absl::StatusOr<std::vector<std::string>> BackupRange::FindOthers(
    BackupFile& file, const std::string& from) const {
  std::vector<std::string> others;
  auto next_seen = std::lower_bound(
      seen_.begin(), seen_.end(), from,
      [](const Seen& seen, const std::string& key) { return seen.key < key; });
  const absl::Status scanned =
      file.Scan(space_, from, [&](absl::string_view key, absl::string_view) {
        if (next_.has_value() && key >= *next_) return false;
        while (next_seen != seen_.end() && next_seen->key < key) ++next_seen;
        if (next_seen == seen_.end() || next_seen->key != key) {
          others.emplace_back(key);
        }
        return others.size() < kMostOthers;
      });
  if (!scanned.ok()) return scanned;
  return others;
}

}  // namespace statecpp
