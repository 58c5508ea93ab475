// SPDX-License-Identifier: Apache-2.0
#include "engine/store_restore.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/status/status.h"
#include "crypto/secret.h"
#include "engine/checked_copy.h"
#include "engine/closed_store.h"
#include "engine/errors.h"
#include "engine/file_system.h"
#include "engine/folder_aside.h"
#include "engine/store_folder.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

absl::Status CheckPlace(const std::string& path, const CopyOptions& options) {
  if (path.empty()) return error::NoPlaceForStore(path);
  struct stat info;
  if (lstat(path.c_str(), &info) == 0) {
    std::error_code failed;
    if (!S_ISDIR(info.st_mode) || !fs::is_empty(path, failed) || failed) {
      return error::RestoreReplacesNothing(path);
    }
  } else if (errno != ENOENT) {
    return error::System("look at", path, errno);
  }
  const std::string parent = ParentOf(path);
  if (stat(parent.c_str(), &info) != 0) {
    return errno == ENOENT ? error::NoPlaceForStore(path)
                           : error::System("look at", parent, errno);
  }
  return options.allow_network_file_system ? absl::OkStatus()
                                           : CheckLocalFileSystem(parent);
}

// The store belongs to whom the folder does that it is in: whoever restores may
// be root, and the server is not.
absl::Status GiveToOwnerOfParent(const std::string& path,
                                 const FolderAside& aside) {
  struct stat parent;
  if (stat(ParentOf(path).c_str(), &parent) != 0) {
    return error::System("look at", ParentOf(path), errno);
  }
  if (geteuid() != 0 || parent.st_uid == geteuid()) return absl::OkStatus();
  return aside.GiveTo(parent.st_uid, parent.st_gid);
}

absl::Status PutInPlace(const std::string& path, FolderAside& aside) {
  absl::Status ready = GiveToOwnerOfParent(path, aside);
  if (ready.ok()) ready = aside.Sync();
  if (!ready.ok()) return error::CopyFailed(path, ready);
  const absl::StatusOr<bool> moved = aside.MoveIntoPlace();
  if (moved.ok()) {
    return *moved ? absl::OkStatus() : error::RestoreReplacesNothing(path);
  }
  // Moved, and its folder could not be synced.
  if (aside.path().empty()) {
    return error::RestoreNotDurable(path, moved.status().message());
  }
  return error::CopyFailed(path, moved.status());
}

}  // namespace

absl::StatusOr<RestoreReport> RestoreStore(const CopyOptions& from,
                                           const std::string& path) {
  const std::string target = WithoutSlashes(path);
  if (const absl::Status fits = CheckPlace(target, from); !fits.ok()) {
    return fits;
  }
  const std::string& backup = from.path;
  const absl::StatusOr<StoreFolder> folder = Hold(backup, from);
  if (!folder.ok()) return folder.status();
  const absl::Status looked = LookFirst(backup, from, Look::kEverything);
  if (!looked.ok()) return looked;
  const absl::StatusOr<std::unique_ptr<ClosedStore>> source =
      ClosedStore::Open(folder->path(), from.keys.get(), from.on_assertion);
  if (!source.ok()) return source.status();
  const absl::StatusOr<Room> room = CheckRoom(backup, **source, target);
  if (!room.ok()) return room.status();
  absl::StatusOr<FolderAside> aside = FolderAside::Make(target);
  if (!aside.ok()) return error::CopyFailed(backup, aside.status());

  const Secret content_key = Secret::Random();
  const absl::StatusOr<CopySums> sums = WriteCopy(
      backup, **source, aside->path(), NewHeader(), from, content_key, *room);
  if (absl::IsResourceExhausted(sums.status())) {
    return error::DiskFullWhileCopying(target, room->need);
  }
  if (!sums.ok()) return sums.status();
  const absl::Status checked =
      CheckCopy(backup, aside->path(), from, content_key, *sums);
  if (!checked.ok()) return checked;
  RestoreReport report = {.records = sums->contents.records(),
                          .commit_seq = (*source)->accumulator().commit_seq(),
                          .bytes = FileSize(aside->path() + "/data.mdb"),
                          .sealed = (*source)->header().sealed};
  const absl::Status placed = PutInPlace(target, *aside);
  if (!placed.ok()) return placed;
  return report;
}

}  // namespace statecpp
