// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_FOLDER_ASIDE_H_
#define STATECPP_ENGINE_FOLDER_ASIDE_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/file_lock.h"

namespace statecpp {

// A store's folder while it is being made: <parent>/.new-XXXXXX beside the path
// that it is for, so that the path never names half a store.
//
//   absl::StatusOr<FolderAside> aside = FolderAside::Make("data/orders");
//   ... leave a closed data.mdb in aside->path() ...
//   absl::Status synced = aside->Sync();
//   absl::StatusOr<bool> placed = aside->MoveIntoPlace();
//
// Its LOCK is held from the beginning, and so is that of the store it becomes.
// What is still aside is removed with this object; if the process dies before,
// by the next one that opens a store in that parent (RemoveAbandonedFolders).
//
// Thread-compatible.
class FolderAside {
 public:
  // `path` is where it will go, or what it will be exchanged for; without
  // slashes at its end.
  //
  // Those of error::System: the parent is not there or may not be written.
  static absl::StatusOr<FolderAside> Make(const std::string& path);

  FolderAside(FolderAside&& other) noexcept
      : path_(std::exchange(other.path_, "")),
        fd_(std::exchange(other.fd_, -1)),
        target_(std::move(other.target_)),
        lock_(std::move(other.lock_)) {}
  FolderAside& operator=(FolderAside&&) = delete;
  ~FolderAside();

  const std::string& path() const { return path_; }

  // Gives the store in it, and then the folder, to another: all to one, or each
  // file to whom that of `folder` belongs, with its mode. Whoever owns the
  // parent could put another folder at path(), and whoever owns this one links
  // into it, while root does so: these go by the folder that was made, and
  // follow nothing in it.
  //
  // Those of error::System.
  absl::Status GiveTo(uid_t owner, gid_t group) const;
  absl::Status TakeOwnersAndModes(const std::string& folder) const;

  // Makes data.mdb and the names in the folder durable.
  absl::Status Sync() const;

  // Moves the folder to the path it is for. False: there is a folder with files
  // by now; this one is still aside.
  absl::StatusOr<bool> MoveIntoPlace();

  // The lock of the store that this became.
  FileLock TakeLock() { return std::move(*lock_); }

  // Whether Exchange can work here, tried on two folders of no use.
  //
  // UNIMPLEMENTED: the file system cannot exchange two folders, or the path is
  //     that of a mounted one.
  absl::Status CheckExchange() const;

  // Makes this folder the one at the path, and that one this, in one step: at
  // no moment is there none. The caller holds the LOCK of the other one, too.
  // What is then aside is removed as before; where the process dies first, by
  // whoever opens the store next, however young the folder is.
  //
  // UNIMPLEMENTED, and those of error::System: both are where they were.
  absl::Status Exchange();

  // Removes what is aside, durably. Nothing to do twice.
  absl::Status Remove();

  // Leaves what is aside to RemoveAbandonedFolders.
  void Abandon() { path_.clear(); }

 private:
  FolderAside(std::string path, std::string target)
      : path_(std::move(path)), target_(std::move(target)) {}

  // Opens a file of the folder, for as long as `use` takes.
  absl::Status WithFile(
      const std::string& name,
      absl::FunctionRef<absl::Status(const std::string& file, int fd)> use)
      const;

  // Empty when nothing is aside.
  std::string path_;
  // Of the folder that was made, whatever its name is.
  int fd_ = -1;
  std::string target_;
  std::optional<FileLock> lock_;
};

// Removes from `parent` what processes that ended left aside. A folder whose
// lock is held is being made now; so may be one that is younger than a minute,
// whose lock is still to come.
void RemoveAbandonedFolders(const std::string& parent);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_FOLDER_ASIDE_H_
