// SPDX-License-Identifier: Apache-2.0
#include "engine/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "engine/errors.h"
#include "engine/fail_point.h"

namespace statecpp {
namespace {

constexpr absl::Duration kRetryInterval = absl::Milliseconds(20);
// Who only looks is done in milliseconds, or waits for a slow disk.
constexpr absl::Duration kLongestLook = absl::Seconds(1);
constexpr absl::Duration kLookInterval = absl::Milliseconds(5);

std::string DescribeThisProcess() {
  char host[256] = "unknown";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(
      "pid ", getpid(), " on ", host, " since ",
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone()),
      "\n");
}

std::string ReadHolder(int fd) {
  char text[512];
  const ssize_t size = pread(fd, text, sizeof(text), 0);
  if (size <= 0) return "another process";
  return std::string(
      absl::StripSuffix({text, static_cast<size_t>(size)}, "\n"));
}

// Whether `file` still names what was opened. Not so when the folder around it
// was exchanged for another, or removed, while this process waited: then the
// lock is one that nobody else will ask for.
bool StillNames(const std::string& file, int fd) {
  struct stat opened;
  struct stat named;
  return fstat(fd, &opened) == 0 && stat(file.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

absl::StatusOr<FileLock> FileLock::Acquire(const std::string& file,
                                           absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  for (;;) {
    const int fd =
        open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return error::System("open the lock file", file, errno);
    FileLock lock(fd);
    const int failed = LockAlone(fd);
    if (failed == 0 || STATECPP_SABOTAGE("share-the-lock")) {
      if (!StillNames(file, fd)) continue;
      // Only for whoever waits: the lock holds whether or not this is written.
      const std::string holder = DescribeThisProcess();
      if (ftruncate(fd, 0) == 0) {
        [[maybe_unused]] const ssize_t written =
            pwrite(fd, holder.data(), holder.size(), 0);
      }
      return lock;
    }
    if (failed != EWOULDBLOCK && failed != EINTR) {
      return error::System("lock", file, failed);
    }
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      return error::StoreHeld(file, ReadHolder(fd), timeout);
    }
    absl::SleepFor(std::min(left, kRetryInterval));
  }
}

std::string FileLock::HolderOf(const std::string& file) {
  const int fd =
      open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  std::string holder = ReadHolder(fd);
  if (fd >= 0) close(fd);
  return holder;
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<SharedFileLock> SharedFileLock::Acquire(
    const std::string& file) {
  // Not to wait for a writer where the file is a pipe.
  const int fd =
      open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0 && errno != ENOENT) {
    return error::System("open the lock file", file, errno);
  }
  SharedFileLock lock(file, fd);
  if (fd < 0) return lock;
  struct stat info;
  if (fstat(fd, &info) != 0) return error::System("look at", file, errno);
  if (!S_ISREG(info.st_mode)) {
    return error::NotLookedAt(file, "it is not a regular file");
  }
  if (flock(fd, LOCK_SH | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return error::System("lock", file, errno);
  return error::StoreHeld(file, ReadHolder(fd), absl::ZeroDuration());
}

SharedFileLock::~SharedFileLock() {
  if (fd_ >= 0) close(fd_);
}

bool SharedFileLock::Holds() const {
  if (fd_ >= 0) return StillNames(file_, fd_);
  struct stat ignored;
  return lstat(file_.c_str(), &ignored) != 0 && errno == ENOENT;
}

int LockAlone(int fd) {
  const absl::Time deadline = absl::Now() + kLongestLook;
  for (;;) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EWOULDBLOCK) return errno;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) return errno;
    flock(fd, LOCK_UN);
    if (absl::Now() >= deadline) return EWOULDBLOCK;
    absl::SleepFor(kLookInterval);
  }
}

}  // namespace statecpp
