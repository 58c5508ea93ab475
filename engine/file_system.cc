// SPDX-License-Identifier: Apache-2.0
#include "engine/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>

#include "absl/cleanup/cleanup.h"
#include "engine/errors.h"
#include "engine/fail_point.h"

namespace statecpp {
namespace {

struct FileSystemKind {
  uint32_t magic;  // statfs(2), linux/magic.h
  const char* name;
};

constexpr FileSystemKind kNetwork[] = {
    {0x6969, "NFS"},      {0x517B, "SMB"},        {0xFF534D42, "CIFS"},
    {0xFE534D42, "SMB2"}, {0x01021997, "9p"},     {0x65735546, "FUSE"},
    {0x00C36400, "Ceph"}, {0x0BD00BD0, "Lustre"}, {0x5346414F, "AFS"},
    {0x01161970, "GFS2"}, {0x7461636F, "OCFS2"},  {0x47504653, "GPFS"},
};
constexpr FileSystemKind kVolatile[] = {
    {0x01021994, "tmpfs"},
    {0x858458F6, "ramfs"},
    {0x794C7630, "overlayfs"},
};

}  // namespace

absl::Status CheckLocalFileSystem(const std::string& path) {
  struct statfs info;
  if (statfs(path.c_str(), &info) != 0) {
    return error::System("look at the file system of", path, errno);
  }
  for (const FileSystemKind& kind : kNetwork) {
    if (static_cast<uint32_t>(info.f_type) == kind.magic) {
      return error::NetworkFileSystem(path, kind.name);
    }
  }
  return absl::OkStatus();
}

absl::string_view VolatileFileSystem(const std::string& path) {
  struct statfs info;
  if (statfs(path.c_str(), &info) != 0) return "";
  for (const FileSystemKind& kind : kVolatile) {
    if (static_cast<uint32_t>(info.f_type) == kind.magic) return kind.name;
  }
  return "";
}

std::string WithoutSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string ParentOf(absl::string_view path) {
  const std::string parent =
      std::filesystem::path(WithoutSlashes(std::string(path)))
          .parent_path()
          .string();
  return parent.empty() ? "." : parent;
}

absl::StatusOr<uint64_t> FreeBytes(const std::string& path) {
  struct statvfs space;
  if (statvfs(path.c_str(), &space) != 0) {
    return error::System("look at the disk of", path, errno);
  }
  return uint64_t{space.f_bavail} * space.f_frsize;
}

uint64_t FileSize(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return 0;
  return static_cast<uint64_t>(info.st_size);
}

absl::Status TakeOwnerAndMode(const std::string& model, const std::string& file,
                              int fd) {
  struct stat wanted;
  struct stat found;
  if (stat(model.c_str(), &wanted) != 0) {
    return error::System("look at", model, errno);
  }
  if (fstat(fd, &found) != 0) return error::System("look at", file, errno);
  const bool same_owner = wanted.st_uid == found.st_uid;
  if ((!same_owner || wanted.st_gid != found.st_gid) &&
      fchown(fd, wanted.st_uid, wanted.st_gid) != 0 && !same_owner) {
    return error::System("give to its owner the file", file, errno);
  }
  const mode_t kept = S_ISDIR(found.st_mode) ? 07777 : 0777;
  if (fchmod(fd, wanted.st_mode & kept) != 0) {
    return error::System("set the mode of", file, errno);
  }
  return absl::OkStatus();
}

void ForgetCached(const std::string& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
}

absl::Status SyncPath(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error::System("open", path, errno);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  return SyncOpen(path, fd);
}

absl::Status SyncOpen(const std::string& path, int fd) {
  if (STATECPP_SABOTAGE("skip-folder-syncs")) return absl::OkStatus();
  if (fsync(fd) != 0) return error::System("sync", path, errno);
  return absl::OkStatus();
}

void KeepFromChildren(const std::string& file, int fd) {
  char real_path[PATH_MAX];
  DIR* const descriptors = opendir("/proc/self/fd");
  if (realpath(file.c_str(), real_path) == nullptr || descriptors == nullptr) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (descriptors != nullptr) closedir(descriptors);
    return;
  }
  while (const dirent* entry = readdir(descriptors)) {
    char target[PATH_MAX];
    const ssize_t size =
        readlinkat(dirfd(descriptors), entry->d_name, target, sizeof(target));
    if (size > 0 && absl::string_view(target, size) == real_path) {
      fcntl(atoi(entry->d_name), F_SETFD, FD_CLOEXEC);
    }
  }
  closedir(descriptors);
}

}  // namespace statecpp
