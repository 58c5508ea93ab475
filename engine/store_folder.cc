// SPDX-License-Identifier: Apache-2.0
#include "engine/store_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/file_system.h"
#include "engine/folder_aside.h"
#include "engine/lmdb_file.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

std::string LockFile(const std::string& folder) { return folder + "/LOCK"; }
std::string DataFile(const std::string& folder) { return folder + "/data.mdb"; }

absl::Status CheckFileSystem(const std::string& path, const Options& options) {
  if (!options.allow_network_file_system) {
    if (absl::Status local = CheckLocalFileSystem(path); !local.ok()) {
      return local;
    }
  }
  const absl::string_view kind = VolatileFileSystem(path);
  if (!kind.empty() && options.on_warning != nullptr) {
    options.on_warning(absl::StrCat(
        path, " is on ", kind,
        ", which does not outlive the machine or the container; use a volume "
        "if the state should"));
  }
  return absl::OkStatus();
}

enum class Found { kStore, kNothing, kEmptyFolder };

absl::StatusOr<Found> LookAt(const std::string& path) {
  struct stat stat;
  if (::stat(path.c_str(), &stat) != 0) {
    if (errno == ENOENT) return Found::kNothing;
    if (errno == ENOTDIR) return error::NotADirectory(path);
    return error::System("look at", path, errno);
  }
  if (!S_ISDIR(stat.st_mode)) return error::NotADirectory(path);
  if (access(DataFile(path).c_str(), F_OK) == 0) return Found::kStore;
  if (errno != ENOENT) return error::System("look at", DataFile(path), errno);
  std::error_code failed;
  const bool empty = fs::is_empty(path, failed);
  if (failed) return error::System("read the folder", path, failed.value());
  if (empty) return Found::kEmptyFolder;
  // Never taken for a new store: it may be one that lost its data.
  return error::FileDamaged(path, "it holds files, but no data.mdb");
}

// A process that died may have moved the store into its place, or exchanged it,
// and not have come to the sync of the folder around it: what is written from
// now on would be lost with the name.
absl::Status SyncName(const std::string& path) {
  const std::string parent = ParentOf(path);
  // One that may not be read was synced by whoever could make the store in it.
  if (access(parent.c_str(), R_OK) != 0) return absl::OkStatus();
  return SyncPath(parent);
}

// Makes the store aside and moves it into place. nullopt when another process
// was faster.
absl::StatusOr<std::optional<FileLock>> Make(
    const std::string& path,
    absl::FunctionRef<absl::Status(const std::string& folder)> make) {
  absl::StatusOr<FolderAside> aside = FolderAside::Make(path);
  if (!aside.ok()) return aside.status();
  STATECPP_FAIL_POINT("create.folder-made");
  absl::Status made = make(aside->path());
  STATECPP_FAIL_POINT("create.store-made");
  if (made.ok()) made = aside->Sync();
  if (!made.ok()) return made;
  STATECPP_FAIL_POINT("create.synced");
  const absl::StatusOr<bool> moved = aside->MoveIntoPlace();
  if (!moved.ok()) return moved.status();
  if (!*moved) return std::nullopt;
  STATECPP_FAIL_POINT("create.done");
  return aside->TakeLock();
}

}  // namespace

absl::StatusOr<StoreFolder> StoreFolder::Open(
    const Options& options,
    absl::FunctionRef<absl::Status(const std::string& folder)> make) {
  const std::string path = WithoutSlashes(options.path);

  absl::StatusOr<Found> found = LookAt(path);
  if (!found.ok()) return found.status();
  if (*found != Found::kStore) {
    if (!options.create) return error::StoreMissing(path);
    const std::string parent = ParentOf(path);
    if (const absl::Status checked = CheckFileSystem(parent, options);
        !checked.ok()) {
      return checked;
    }
    RemoveAbandonedFolders(parent);
    absl::StatusOr<std::optional<FileLock>> lock = Make(path, make);
    if (!lock.ok()) return lock.status();
    if (lock->has_value()) return StoreFolder(path, std::move(**lock));
  }

  if (const absl::Status checked = CheckFileSystem(path, options);
      !checked.ok()) {
    return checked;
  }
  absl::StatusOr<FileLock> lock =
      FileLock::Acquire(LockFile(path), options.lock_timeout);
  if (!lock.ok()) return lock.status();
  if (const absl::Status synced = SyncName(path); !synced.ok()) return synced;
  RemoveAbandonedFolders(ParentOf(path));
  if (const absl::Status checked = CheckLmdbFile(DataFile(path));
      !checked.ok() && !STATECPP_SABOTAGE("open-any-file")) {
    return checked;
  }
  return StoreFolder(path, *std::move(lock));
}

absl::Status StoreFolder::CheckThere(const std::string& path) {
  const absl::StatusOr<Found> found = LookAt(path);
  if (!found.ok()) return found.status();
  return *found == Found::kStore ? absl::OkStatus() : error::StoreMissing(path);
}

}  // namespace statecpp
