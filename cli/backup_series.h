// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_BACKUP_SERIES_H_
#define STATECPP_CLI_BACKUP_SERIES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace statecpp {

// The backups of one store that are in a folder, each called after the store
// and the second in which it was begun:
//
//   /backup/orders-20261122T040000Z
//   /backup/orders-20261123T040000Z
//   /backup/orders-20261124T040000Z.partial    not yet one
//
//   BackupSeries series("/backup", "orders");
//   absl::StatusOr<std::string> path = series.NextPath(absl::Now());
//   // … make a backup there
//   absl::Status kept = series.KeepLatest(7, *path);
//
// What has no such name is not looked at and not touched, nor is what is no
// folder, links to folders included. So several stores can share the folder,
// and where the stores of two data roots have one name, none removes the
// other's: a store's header says which it is.
//
// Thread-compatible. The errors of each are those of error::System.
class BackupSeries {
 public:
  // `store` is the name of the store's folder, which has no slash in it.
  BackupSeries(std::string folder, std::string store)
      : folder_(std::move(folder)), prefix_(std::move(store) + "-") {}

  // When the latest was begun that is whole and of no later time than `now`,
  // as a clock that was wrong gave it; nullopt: there is none.
  absl::StatusOr<std::optional<absl::Time>> Latest(absl::Time now) const;

  // Where the latest one was interrupted, so that it can go on from there;
  // nullopt: none was.
  absl::StatusOr<std::optional<std::string>> InterruptedPath() const;
  // A name that is free, for one that begins now.
  std::string FreePath(absl::Time now) const;

  // Removes, of the backups of the store that `made` is one of, all but the
  // latest `count`, and never `made`; what was interrupted stays. Returns how
  // many it removed. One that cannot be removed, as somebody has it open, keeps
  // no other from it; the first such error is what is returned then.
  //
  // UNAVAILABLE, and those of PeekKeys for `made`.
  absl::StatusOr<size_t> KeepLatest(size_t count,
                                    const std::string& made) const;

 private:
  // The times in the names that end with `ending`, from the earliest.
  absl::StatusOr<std::vector<absl::Time>> List(absl::string_view ending) const;
  std::string PathAt(absl::Time time) const;

  const std::string folder_;
  const std::string prefix_;
};

}  // namespace statecpp

#endif  // STATECPP_CLI_BACKUP_SERIES_H_
