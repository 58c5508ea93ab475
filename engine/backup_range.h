// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_BACKUP_RANGE_H_
#define STATECPP_ENGINE_BACKUP_RANGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/backup_bounds.h"
#include "engine/backup_file.h"
#include "engine/changed_keys.h"
#include "engine/storage.h"

namespace statecpp {

// Which keys of a part of the store a backup lacks. The store is looked at in
// one short snapshot, and the backup when that is gone: however slow its disk
// is, and however much is to be compared, no page of the store is kept from
// being used again.
//
//   absl::StatusOr<BackupRange> range;
//   {
//     absl::StatusOr<std::unique_ptr<Snapshot>> snapshot = storage.Read();
//     range = BackupRange::Of(**snapshot, Space::kRecords, from, {});
//   }
//   absl::StatusOr<std::vector<ChangedKeys::Place>> lacking =
//       range->Compare(file);
//
// Of records only the nonce is read. A record is in the backup where that is:
// no two share one.
class BackupRange {
 public:
  // The keys of a space from `from` on.
  static absl::StatusOr<BackupRange> Of(const Snapshot& snapshot, Space space,
                                        const std::string& from,
                                        const BackupBounds& bounds);

  // Removes from the backup what it has between these keys, and returns those
  // whose values it lacks.
  absl::StatusOr<std::vector<ChangedKeys::Place>> Compare(
      BackupFile& file) const;

  // Keys that are in it.
  size_t looked() const { return seen_.size(); }
  // Where the next range begins; nullopt: at none.
  const std::optional<std::string>& next() const { return next_; }

 private:
  // What tells a value from all others that were ever there.
  struct Seen {
    std::string key;
    std::string token;
    uint64_t size;
  };

  BackupRange(Space space, std::string from)
      : space_(space), from_(std::move(from)) {}

  absl::Status DropOthers(BackupFile& file) const;
  // At most so many of them, from `from` on.
  absl::StatusOr<std::vector<std::string>> FindOthers(
      BackupFile& file, const std::string& from) const;

  Space space_;
  std::string from_;
  std::vector<Seen> seen_;
  std::optional<std::string> next_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_BACKUP_RANGE_H_
