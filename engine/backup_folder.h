// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_BACKUP_FOLDER_H_
#define STATECPP_ENGINE_BACKUP_FOLDER_H_

#include <sys/types.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/file_lock.h"

namespace statecpp {

// Whether a folder that is there already can be what a backup by this user
// left: nobody else may write in it, and none of its files leads elsewhere.
//
// ALREADY_EXISTS: others may have put it there, or what is in it.
// INVALID_ARGUMENT: it is no folder.
absl::Status CheckLeftover(const std::string& folder, uid_t uid);

// The folder of a backup while it is being written: <path>.partial, so that
// the path never names half a backup, and whoever asks for the same backup
// again goes on with this one.
//
//   absl::StatusOr<BackupFolder> folder = BackupFolder::Open(path, data_root);
//   ... leave a closed data.mdb in folder->path() ...
//   absl::Status synced = folder->Sync();
//   absl::Status placed = folder->MoveIntoPlace();
//
// Its LOCK is held as long as this lives. Thread-compatible.
class BackupFolder {
 public:
  // `outside` is a folder in which no backup may be: a server would take it for
  // a store of its own.
  //
  // ALREADY_EXISTS: there is something at the path, or what was left there does
  //     not pass CheckLeftover.
  // UNAVAILABLE: another backup is being written there.
  // INVALID_ARGUMENT: the path is in `outside`, is no place for a folder, or is
  //     on a network file system.
  // Those of error::System.
  static absl::StatusOr<BackupFolder> Open(const std::string& path,
                                           const std::string& outside);

  const std::string& path() const { return path_; }
  // What it will be called.
  const std::string& target() const { return target_; }
  // An earlier backup has left it.
  bool is_left() const { return is_left_; }

  // Makes what is in it durable.
  //
  // Those of error::System.
  absl::Status Sync() const;

  // Moves it to the path.
  //
  // ALREADY_EXISTS: there is something by now.
  // Those of error::System: it is where it was.
  // UNKNOWN: it is moved, and may not be after a power cut.
  absl::Status MoveIntoPlace();

  // Removes it with all that was copied.
  void Discard();

 private:
  BackupFolder(std::string path, std::string target, bool is_left,
               FileLock lock)
      : path_(std::move(path)),
        target_(std::move(target)),
        is_left_(is_left),
        lock_(std::move(lock)) {}

  const std::string path_;
  const std::string target_;
  const bool is_left_;
  FileLock lock_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_BACKUP_FOLDER_H_
