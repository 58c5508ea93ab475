// SPDX-License-Identifier: Apache-2.0
#include "engine/lmdb_lock_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "engine/errors.h"

namespace statecpp {
namespace {

// A slot's size, and what LMDB has in the file beside slots at most.
constexpr off_t kSlotSize = 64;
constexpr off_t kHeaderSize = 4096;

}  // namespace

absl::Status AllocateLockFile(const std::string& folder, unsigned readers) {
  const std::string file = folder + "/lock.mdb";
  const int fd =
      open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return error::System("open", file, errno);
  const int failed = posix_fallocate(
      fd, 0, kSlotSize * static_cast<off_t>(readers) + kHeaderSize);
  close(fd);
  if (failed == ENOSPC || failed == EDQUOT) {
    return error::System("set disk space aside for", file, failed);
  }
  return absl::OkStatus();
}

LockFileInUse::LockFileInUse(std::string folder)
    : file_(std::move(folder) + "/lock.mdb") {
  struct stat info = {};
  stat(file_.c_str(), &info);
  device_ = info.st_dev;
  number_ = info.st_ino;
}

// Without a descriptor of its own: closing that would drop LMDB's locks.
absl::Status LockFileInUse::Check() const {
  struct stat info = {};
  if (stat(file_.c_str(), &info) == 0 && info.st_dev == device_ &&
      info.st_ino == number_) {
    return absl::OkStatus();
  }
  return error::LockFileReplaced(file_);
}

}  // namespace statecpp
