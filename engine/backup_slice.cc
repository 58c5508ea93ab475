// SPDX-License-Identifier: Apache-2.0
#include "engine/backup_slice.h"

#include <utility>

#include "absl/time/clock.h"
#include "engine/errors.h"
#include "engine/keys.h"
#include "engine/record.h"

namespace statecpp {
namespace {

bool IsThere(Space space, absl::string_view value,
             const std::optional<absl::string_view>& there) {
  if (!there.has_value() || there->size() != value.size()) return false;
  return space == Space::kRecords ? RecordToken(*there) == RecordToken(value)
                                  : *there == value;
}

// Opens a record to its last byte.
absl::Status CheckRecord(const Keyring& keyring, absl::string_view place,
                         absl::string_view record) {
  const absl::StatusOr<RecordReader> reader =
      RecordReader::Open(keyring, place, record);
  if (!reader.ok()) {
    return error::NotBackedUp(place, "", error::ReasonOf(reader.status()));
  }
  const absl::StatusOr<std::string> value = reader->ReadValue();
  if (!value.ok()) {
    return error::NotBackedUp(place, reader->key(),
                              error::ReasonOf(value.status()));
  }
  if (RecordKey(keyring.paths(), reader->key()) != place) {
    return error::NotBackedUp(place, reader->key(), error::Foreign());
  }
  return absl::OkStatus();
}

// Says when a slice is full.
class Gauge {
 public:
  explicit Gauge(const BackupSlice::Bounds& bounds)
      : bounds_(bounds), end_(absl::Now() + bounds.time) {}

  bool IsFull(size_t looked, uint64_t bytes) const {
    if (looked == 0) return false;
    return looked >= bounds_.looks || bytes >= bounds_.bytes ||
           absl::Now() >= end_;
  }

 private:
  const BackupSlice::Bounds bounds_;
  const absl::Time end_;
};

}  // namespace

absl::StatusOr<BackupSlice> BackupSlice::OfRange(const KeyedSnapshot& view,
                                                 BackupFile& file, Space space,
                                                 const std::string& from,
                                                 const Bounds& bounds) {
  BackupSlice slice(view.keyring);
  const Gauge gauge(bounds);
  std::vector<std::string> seen;
  absl::Status looked = absl::OkStatus();
  const absl::Status scanned = view.snapshot->Scan(
      space, from, [&](absl::string_view key, absl::string_view value) {
        if (gauge.IsFull(slice.looked_, slice.bytes_)) {
          slice.next_ = std::string(key);
          return false;
        }
        seen.emplace_back(key);
        looked = slice.Look(file, space, key, value);
        return looked.ok();
      });
  if (!scanned.ok()) return scanned;
  if (!looked.ok()) return looked;
  looked = slice.DropOthers(file, space, from, seen);
  if (!looked.ok()) return looked;
  return slice;
}

absl::StatusOr<BackupSlice> BackupSlice::OfPlaces(
    const KeyedSnapshot& view, BackupFile& file,
    absl::Span<const ChangedKeys::Place> places, const Bounds& bounds) {
  BackupSlice slice(view.keyring);
  const Gauge gauge(bounds);
  for (const auto& [space, key] : places) {
    if (gauge.IsFull(slice.looked_, slice.bytes_)) break;
    const absl::StatusOr<std::optional<absl::string_view>> value =
        view.snapshot->Get(space, key);
    if (!value.ok()) return value.status();
    const absl::Status looked = slice.Look(file, space, key, *value);
    if (!looked.ok()) return looked;
  }
  return slice;
}

absl::Status BackupSlice::Look(BackupFile& file, Space space,
                               absl::string_view key,
                               const std::optional<absl::string_view>& value) {
  ++looked_;
  const absl::StatusOr<std::optional<absl::string_view>> there =
      file.Get(space, key);
  if (!there.ok()) return there.status();
  if (!value.has_value()) {
    if (there->has_value()) {
      changes_.push_back({space, std::string(key), std::nullopt});
    }
    return absl::OkStatus();
  }
  if (IsThere(space, *value, *there)) return absl::OkStatus();
  changes_.push_back({space, std::string(key), std::string(*value)});
  bytes_ += key.size() + value->size();
  if (space == Space::kRecords) ++records_;
  return absl::OkStatus();
}

absl::Status BackupSlice::DropOthers(BackupFile& file, Space space,
                                     const std::string& from,
                                     const std::vector<std::string>& seen) {
  auto next_seen = seen.begin();
  return file.Scan(space, from, [&](absl::string_view key, absl::string_view) {
    if (next_.has_value() && key >= *next_) return false;
    while (next_seen != seen.end() && *next_seen < key) ++next_seen;
    if (next_seen == seen.end() || *next_seen != key) {
      changes_.push_back({space, std::string(key), std::nullopt});
    }
    return true;
  });
}

absl::Status BackupSlice::WriteTo(BackupFile& file) {
  for (const Change& change : changes_) {
    if (change.space != Space::kRecords || !change.value.has_value()) continue;
    const absl::Status whole =
        CheckRecord(*keyring_, change.key, *change.value);
    if (!whole.ok()) return whole;
  }
  keyring_.reset();
  for (const Change& change : changes_) {
    const absl::Status written =
        change.value.has_value()
            ? file.Put(change.space, change.key, *change.value)
            : file.Delete(change.space, change.key);
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

}  // namespace statecpp
