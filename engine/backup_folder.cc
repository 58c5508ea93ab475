// SPDX-License-Identifier: Apache-2.0
#include "engine/backup_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/file_system.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kEnding = ".partial";

// Whether `path`, of which the parent is there, is in that folder or is it.
bool IsIn(const std::string& folder, const std::string& path) {
  std::error_code failed;
  const fs::path real =
      fs::canonical(ParentOf(path), failed) / fs::path(path).filename();
  if (failed) return false;
  const fs::path outer = fs::canonical(folder, failed);
  if (failed) return false;
  const auto [end, ignored] =
      std::mismatch(outer.begin(), outer.end(), real.begin(), real.end());
  return end == outer.end();
}

absl::Status CheckPlace(const std::string& path, const std::string& outside) {
  const fs::path name = fs::path(path).filename();
  if (path.empty() || name.empty() || name == "." || name == "..") {
    return error::NoPlaceForBackup(path);
  }
  const std::string parent = ParentOf(path);
  struct stat info;
  if (stat(parent.c_str(), &info) != 0) {
    return errno == ENOENT ? error::NoFolderForBackup(path, parent)
                           : error::System("look at", parent, errno);
  }
  if (!S_ISDIR(info.st_mode)) return error::NotADirectory(parent);
  if (!outside.empty() && IsIn(outside, path)) {
    return error::BackupInDataRoot(path, outside);
  }
  // A link that leads nowhere is something, too.
  if (lstat(path.c_str(), &info) == 0) return error::BackupIsThere(path);
  if (errno != ENOENT) return error::System("look at", path, errno);
  return CheckLocalFileSystem(parent);
}

// A file of the folder that nobody else can reach by another name: LMDB follows
// links, and a hard link to a store's data.mdb would make it the backup's.
absl::Status CheckFile(const std::string& folder, absl::string_view name) {
  const std::string file = absl::StrCat(folder, "/", name);
  struct stat info;
  if (lstat(file.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus()
                           : error::System("look at", file, errno);
  }
  if (S_ISLNK(info.st_mode)) {
    return error::BackupLeftLinked(folder, name, "a link");
  }
  if (!S_ISREG(info.st_mode)) {
    return error::BackupLeftLinked(folder, name, "not a regular file");
  }
  if (info.st_nlink != 1) {
    return error::BackupLeftLinked(folder, name,
                                   "a file that has another name as well");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckLeftover(const std::string& folder, uid_t uid) {
  struct stat info;
  if (lstat(folder.c_str(), &info) != 0) {
    return error::System("look at", folder, errno);
  }
  // What a link leads to was not left by a backup.
  if (!S_ISDIR(info.st_mode)) return error::NotADirectory(folder);
  if (info.st_uid != uid) {
    return error::BackupLeftByOther(folder, info.st_uid, uid);
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return error::BackupLeftLoose(folder, info.st_mode);
  }
  for (const char* name : {"LOCK", "data.mdb", "lock.mdb"}) {
    const absl::Status own = CheckFile(folder, name);
    if (!own.ok()) return own;
  }
  return absl::OkStatus();
}

absl::StatusOr<BackupFolder> BackupFolder::Open(const std::string& path,
                                                const std::string& outside) {
  const std::string target = WithoutSlashes(path);
  if (const absl::Status fits = CheckPlace(target, outside); !fits.ok()) {
    return fits;
  }
  std::string partial = target + std::string(kEnding);
  bool is_left = false;
  if (mkdir(partial.c_str(), 0700) != 0) {
    if (errno != EEXIST) return error::System("make", partial, errno);
    const absl::Status own = CheckLeftover(partial, geteuid());
    if (!own.ok()) return own;
    is_left = true;
  }
  absl::StatusOr<FileLock> lock =
      FileLock::Acquire(partial + "/LOCK", absl::ZeroDuration());
  if (error::IsStoreHeld(lock.status())) {
    return error::BackupFolderHeld(partial,
                                   FileLock::HolderOf(partial + "/LOCK"));
  }
  if (!lock.ok()) return lock.status();
  return BackupFolder(std::move(partial), target, is_left, *std::move(lock));
}

absl::Status BackupFolder::Sync() const {
  const absl::Status synced = SyncPath(path_ + "/data.mdb");
  return synced.ok() ? SyncPath(path_) : synced;
}

absl::Status BackupFolder::MoveIntoPlace() {
  int failed = renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(),
                         RENAME_NOREPLACE);
  // Where the file system does not know the flag, a folder with files is not
  // replaced either.
  if (failed != 0 && errno == EINVAL) {
    failed = rename(path_.c_str(), target_.c_str());
  }
  if (failed != 0) {
    return errno == EEXIST || errno == ENOTEMPTY
               ? error::BackupIsThere(target_)
               : error::System("move the backup to", target_, errno);
  }
  STATECPP_FAIL_POINT("backup.moved");
  const absl::Status synced = SyncPath(ParentOf(target_));
  return synced.ok() ? synced
                     : error::BackupNotDurable(target_, synced.message());
}

void BackupFolder::Discard() {
  std::error_code ignored;
  fs::remove(path_ + "/data.mdb", ignored);
  fs::remove_all(path_, ignored);
}

}  // namespace statecpp
