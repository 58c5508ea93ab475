// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_BACKUP_SLICE_H_
#define STATECPP_ENGINE_BACKUP_SLICE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "crypto/keyring.h"
#include "engine/backup_file.h"
#include "engine/changed_keys.h"
#include "engine/current_keyring.h"
#include "engine/storage.h"

namespace statecpp {

// What a backup lacks of a part of the store, read in one short snapshot and
// written when that is gone: a slow disk below the backup keeps no page of the
// store from being used again.
//
//   absl::StatusOr<BackupSlice> slice;
//   {
//     absl::StatusOr<KeyedSnapshot> view = ...;
//     slice = BackupSlice::OfRange(*view, file, Space::kRecords, from, bounds);
//   }
//   absl::Status written = slice->WriteTo(file);
//
// A record is there already where its nonce is: no two records share one.
class BackupSlice {
 public:
  // Whichever comes first ends a slice; one record is in it at least.
  struct Bounds {
    size_t looks = 4096;
    uint64_t bytes = uint64_t{4} << 20;
    absl::Duration time = absl::Milliseconds(20);
  };

  // Of the keys of a space from `from` on; what else the backup has between
  // them goes.
  static absl::StatusOr<BackupSlice> OfRange(const KeyedSnapshot& view,
                                             BackupFile& file, Space space,
                                             const std::string& from,
                                             const Bounds& bounds);

  // Of these keys, of which `looked` says how many are in it.
  static absl::StatusOr<BackupSlice> OfPlaces(
      const KeyedSnapshot& view, BackupFile& file,
      absl::Span<const ChangedKeys::Place> places, const Bounds& bounds);

  // Opens each record, then writes all of them: once. The keyring is let go in
  // between, since the disk may take its time, and a rotation waits until
  // nobody holds the former one.
  //
  // DATA_LOSS: a record is damaged; nothing of the slice was written.
  // Those of BackupFile.
  absl::Status WriteTo(BackupFile& file);

  // Keys that were looked at.
  size_t looked() const { return looked_; }
  // Records that WriteTo writes.
  uint64_t records() const { return records_; }
  // Where the next slice of the range begins; nullopt: at none.
  const std::optional<std::string>& next() const { return next_; }

 private:
  struct Change {
    Space space;
    std::string key;
    std::optional<std::string> value;  // nullopt: delete
  };

  explicit BackupSlice(std::shared_ptr<const Keyring> keyring)
      : keyring_(std::move(keyring)) {}

  // Takes note of what stands at a key, if that is not what the backup has.
  absl::Status Look(BackupFile& file, Space space, absl::string_view key,
                    const std::optional<absl::string_view>& value);
  absl::Status DropOthers(BackupFile& file, Space space,
                          const std::string& from,
                          const std::vector<std::string>& seen);

  std::shared_ptr<const Keyring> keyring_;
  std::vector<Change> changes_;
  size_t looked_ = 0;
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
  std::optional<std::string> next_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_BACKUP_SLICE_H_
