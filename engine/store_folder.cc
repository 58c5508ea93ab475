// SPDX-License-Identifier: Apache-2.0
#include "engine/store_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "engine/errors.h"
#include "engine/file_system.h"
#include "engine/lmdb_file.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kNewPrefix = ".new-";
constexpr absl::Duration kAbandonedAfter = absl::Minutes(1);

std::string LockFile(const std::string& folder) { return folder + "/LOCK"; }
std::string DataFile(const std::string& folder) { return folder + "/data.mdb"; }

std::string ParentOf(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

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

// Folders that were being made when their process ended. One whose lock is held
// is being made now; so may be a young one, whose lock is still to come.
void RemoveAbandoned(const std::string& parent) {
  std::error_code ignored;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(parent, ignored)) {
    const std::string folder = entry.path().string();
    struct stat stat;
    if (!absl::StartsWith(entry.path().filename().string(), kNewPrefix) ||
        lstat(folder.c_str(), &stat) != 0 || !S_ISDIR(stat.st_mode) ||
        absl::FromTimeT(stat.st_mtime) + kAbandonedAfter > absl::Now()) {
      continue;
    }
    // Held until the folder is gone.
    const absl::StatusOr<FileLock> lock =
        FileLock::Acquire(LockFile(folder), absl::ZeroDuration());
    if (lock.ok()) fs::remove_all(folder, ignored);
  }
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
  std::error_code failed;
  const bool empty = fs::is_empty(path, failed);
  if (failed) return error::System("read the folder", path, failed.value());
  if (empty) return Found::kEmptyFolder;
  // Never taken for a new store: it may be one that lost its data.
  return error::FileDamaged(path, "it holds files, but no data.mdb");
}

// Makes the store aside and moves it into place. nullopt when another process
// was faster.
absl::StatusOr<std::optional<FileLock>> Make(
    const std::string& path,
    absl::FunctionRef<absl::Status(const std::string& folder)> make) {
  const std::string parent = ParentOf(path);
  std::string folder = absl::StrCat(parent, "/", kNewPrefix, "XXXXXX");
  if (mkdtemp(folder.data()) == nullptr) {
    return error::System("make a folder in", parent, errno);
  }
  absl::Cleanup remove_folder = [&folder] {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  };
  absl::StatusOr<FileLock> lock =
      FileLock::Acquire(LockFile(folder), absl::ZeroDuration());
  if (!lock.ok()) return lock.status();
  absl::Status made = make(folder);
  if (made.ok()) made = SyncPath(DataFile(folder));
  if (made.ok()) made = SyncPath(folder);
  if (!made.ok()) return made;
  if (rename(folder.c_str(), path.c_str()) != 0) {
    if (errno == ENOTEMPTY || errno == EEXIST) return std::nullopt;
    return error::System("move the new store to", path, errno);
  }
  std::move(remove_folder).Cancel();
  if (const absl::Status synced = SyncPath(parent); !synced.ok()) {
    return synced;
  }
  return std::move(*lock);
}

}  // namespace

absl::StatusOr<StoreFolder> StoreFolder::Open(
    const Options& options,
    absl::FunctionRef<absl::Status(const std::string& folder)> make) {
  std::string path(options.path);
  while (path.size() > 1 && path.back() == '/') path.pop_back();

  absl::StatusOr<Found> found = LookAt(path);
  if (!found.ok()) return found.status();
  if (*found != Found::kStore) {
    if (!options.create) return error::StoreMissing(path);
    const std::string parent = ParentOf(path);
    if (const absl::Status checked = CheckFileSystem(parent, options);
        !checked.ok()) {
      return checked;
    }
    RemoveAbandoned(parent);
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
  RemoveAbandoned(ParentOf(path));
  if (const absl::Status checked = CheckLmdbFile(DataFile(path));
      !checked.ok()) {
    return checked;
  }
  return StoreFolder(path, *std::move(lock));
}

}  // namespace statecpp
