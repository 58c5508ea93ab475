// SPDX-License-Identifier: Apache-2.0
#include "engine/folder_aside.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/file_system.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kPrefix = ".new-";
// Of a store, beside the folder itself.
constexpr const char* kFiles[] = {"LOCK", "data.mdb", "lock.mdb"};
constexpr absl::Duration kAbandonedAfter = absl::Minutes(1);

std::string LockFile(const std::string& folder) { return folder + "/LOCK"; }

// The data first: what a process that dies in here leaves is not worth finding.
std::error_code RemoveFolder(const std::string& folder) {
  std::error_code failed;
  fs::remove(folder + "/data.mdb", failed);
  fs::remove_all(folder, failed);
  return failed;
}

// 0, or what errno says.
int ExchangeFolders(const std::string& a, const std::string& b) {
  const int failed =
      renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE);
  return failed == 0 ? 0 : errno;
}

absl::Status ExchangeError(const std::string& path, int error_number) {
  switch (error_number) {
    case 0:
      return absl::OkStatus();
    case EINVAL:  // the file system does not know the flag
    case ENOSYS:  // nor does the kernel
    case EXDEV:   // one of them is a mount point
    case EBUSY:
      return error::CannotExchange(path, error_number);
    default:
      return error::System("exchange the folder", path, error_number);
  }
}

}  // namespace

absl::StatusOr<FolderAside> FolderAside::Make(const std::string& path) {
  const std::string parent = ParentOf(path);
  std::string folder = absl::StrCat(parent, "/", kPrefix, "XXXXXX");
  if (mkdtemp(folder.data()) == nullptr) {
    return error::System("make a folder in", parent, errno);
  }
  FolderAside aside(std::move(folder), path);
  aside.fd_ = open(aside.path_.c_str(),
                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (aside.fd_ < 0) return error::System("open", aside.path_, errno);
  absl::StatusOr<FileLock> lock =
      FileLock::Acquire(LockFile(aside.path_), absl::ZeroDuration());
  if (!lock.ok()) return lock.status();
  aside.lock_ = *std::move(lock);
  return aside;
}

FolderAside::~FolderAside() {
  if (!path_.empty()) RemoveFolder(path_);
  if (fd_ >= 0) close(fd_);
}

absl::Status FolderAside::WithFile(
    const std::string& name,
    absl::FunctionRef<absl::Status(const std::string& file, int fd)> use)
    const {
  const std::string file = path_ + "/" + name;
  // Nor does it wait for the other end of a pipe.
  const int fd =
      openat(fd_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return error::System("open", file, errno);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  return use(file, fd);
}

absl::Status FolderAside::GiveTo(uid_t owner, gid_t group) const {
  for (const char* name : kFiles) {
    if (fchownat(fd_, name, owner, group, AT_SYMLINK_NOFOLLOW) != 0) {
      return error::System("give to its owner the file",
                           absl::StrCat(path_, "/", name), errno);
    }
  }
  if (fchown(fd_, owner, group) != 0) {
    return error::System("give to its owner the folder", path_, errno);
  }
  return absl::OkStatus();
}

absl::Status FolderAside::TakeOwnersAndModes(const std::string& folder) const {
  for (const char* name : kFiles) {
    const absl::Status given =
        WithFile(name, [&](const std::string& file, int fd) {
          return TakeOwnerAndMode(folder + "/" + name, file, fd);
        });
    if (!given.ok()) return given;
  }
  return TakeOwnerAndMode(folder, path_, fd_);
}

absl::Status FolderAside::Sync() const {
  const absl::Status data = WithFile("data.mdb", SyncOpen);
  return data.ok() ? SyncOpen(path_, fd_) : data;
}

absl::StatusOr<bool> FolderAside::MoveIntoPlace() {
  if (rename(path_.c_str(), target_.c_str()) != 0) {
    if (errno == ENOTEMPTY || errno == EEXIST) return false;
    return error::System("move the new store to", target_, errno);
  }
  path_.clear();
  STATECPP_FAIL_POINT("create.moved");
  const absl::Status synced = SyncPath(ParentOf(target_));
  if (!synced.ok()) return synced;
  return true;
}

absl::Status FolderAside::CheckExchange() const {
  struct stat there;
  struct stat here;
  if (stat(target_.c_str(), &there) == 0 && stat(path_.c_str(), &here) == 0 &&
      there.st_dev != here.st_dev) {
    return ExchangeError(target_, EXDEV);
  }
  const std::string a = path_ + "/a";
  const std::string b = path_ + "/b";
  if (mkdir(a.c_str(), 0700) != 0 || mkdir(b.c_str(), 0700) != 0) {
    return error::System("make a folder in", path_, errno);
  }
  const int failed = ExchangeFolders(a, b);
  rmdir(a.c_str());
  rmdir(b.c_str());
  return ExchangeError(target_, failed);
}

absl::Status FolderAside::Exchange() {
  // From the first moment that it is aside, the other folder is to look
  // abandoned, unless its lock is held.
  const timespec long_ago[2] = {};
  utimensat(AT_FDCWD, target_.c_str(), long_ago, 0);
  return ExchangeError(target_, ExchangeFolders(path_, target_));
}

absl::Status FolderAside::Remove() {
  const std::string path = std::exchange(path_, "");
  if (path.empty()) return absl::OkStatus();
  const std::error_code failed = RemoveFolder(path);
  if (failed) return error::System("remove", path, failed.value());
  return SyncPath(ParentOf(path));
}

void RemoveAbandonedFolders(const std::string& parent) {
  std::error_code ignored;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(parent, ignored)) {
    const std::string folder = entry.path().string();
    struct stat stat;
    if (!absl::StartsWith(entry.path().filename().string(), kPrefix) ||
        lstat(folder.c_str(), &stat) != 0 || !S_ISDIR(stat.st_mode) ||
        absl::FromTimeT(stat.st_mtime) + kAbandonedAfter > absl::Now()) {
      continue;
    }
    // Held until the folder is gone.
    const absl::StatusOr<FileLock> lock =
        FileLock::Acquire(LockFile(folder), absl::ZeroDuration());
    if (lock.ok()) RemoveFolder(folder);
  }
}

}  // namespace statecpp
