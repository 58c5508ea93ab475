// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_BACKUP_SLICE_H_
#define STATECPP_ENGINE_BACKUP_SLICE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "crypto/keyring.h"
#include "engine/backup_bounds.h"
#include "engine/backup_file.h"
#include "engine/changed_keys.h"
#include "engine/current_keyring.h"
#include "engine/storage.h"

namespace statecpp {

// Values of keys that a backup may lack, read in one short snapshot and written
// when that is gone: a slow disk below the backup keeps no page of the store
// from being used again.
//
//   absl::StatusOr<BackupSlice> slice;
//   {
//     absl::StatusOr<KeyedSnapshot> view = ...;
//     slice = BackupSlice::Of(*view, places, bounds);
//   }
//   absl::Status written = slice->WriteTo(file);
class BackupSlice {
 public:
  // The first of these keys, of which `looked` says how many are in it.
  static absl::StatusOr<BackupSlice> Of(
      const KeyedSnapshot& view, absl::Span<const ChangedKeys::Place> places,
      const BackupBounds& bounds);

  // Opens each record, then writes what the backup does not have: once. The
  // keyring is let go in between, since the disk may take its time, and a
  // rotation waits until nobody holds the former one.
  //
  // DATA_LOSS: a record is damaged; nothing of the slice was written.
  // Those of BackupFile.
  absl::Status WriteTo(BackupFile& file);

  // Keys that were looked at.
  size_t looked() const { return changes_.size(); }
  // Records that WriteTo has written.
  uint64_t records() const { return records_; }

 private:
  struct Change {
    Space space;
    std::string key;
    std::optional<std::string> value;  // nullopt: delete
  };

  explicit BackupSlice(std::shared_ptr<const Keyring> keyring)
      : keyring_(std::move(keyring)) {}

  absl::Status Write(const Change& change, BackupFile& file);

  std::shared_ptr<const Keyring> keyring_;
  std::vector<Change> changes_;
  uint64_t records_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_BACKUP_SLICE_H_
