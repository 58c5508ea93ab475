// SPDX-License-Identifier: Apache-2.0
#include "engine/backup_slice.h"

#include <utility>

#include "absl/strings/string_view.h"
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

}  // namespace

absl::StatusOr<BackupSlice> BackupSlice::Of(
    const KeyedSnapshot& view, absl::Span<const ChangedKeys::Place> places,
    const BackupBounds& bounds) {
  BackupSlice slice(view.keyring);
  const BackupGauge gauge(bounds);
  uint64_t bytes = 0;
  for (const auto& [space, key] : places) {
    if (gauge.IsFull(slice.looked(), bytes)) break;
    const absl::StatusOr<std::optional<absl::string_view>> value =
        view.snapshot->Get(space, key);
    if (!value.ok()) return value.status();
    Change change = {.space = space, .key = key, .value = std::nullopt};
    if (value->has_value()) {
      change.value = std::string(**value);
      bytes += key.size() + change.value->size();
    }
    slice.changes_.push_back(std::move(change));
  }
  return slice;
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
    const absl::Status written = Write(change, file);
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

absl::Status BackupSlice::Write(const Change& change, BackupFile& file) {
  if (!change.value.has_value()) return file.Delete(change.space, change.key);
  const absl::StatusOr<std::optional<absl::string_view>> there =
      file.Get(change.space, change.key);
  if (!there.ok()) return there.status();
  if (IsThere(change.space, *change.value, *there)) return absl::OkStatus();
  if (change.space == Space::kRecords) ++records_;
  return file.Put(change.space, change.key, *change.value);
}

}  // namespace statecpp
