// SPDX-License-Identifier: Apache-2.0
#include "tests/power/swallowed_syncs.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>

namespace {

bool swallows = false;

}  // namespace

namespace statecpp {

void SwallowSyncs() { swallows = true; }

}  // namespace statecpp

// In the place of the C library's.
extern "C" {

int fsync(int fd) {
  return swallows ? 0 : static_cast<int>(syscall(SYS_fsync, fd));
}

int fdatasync(int fd) {
  return swallows ? 0 : static_cast<int>(syscall(SYS_fdatasync, fd));
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode =
      (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (swallows) flags &= ~O_SYNC;  // O_DSYNC is one of its bits
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

}  // extern "C"
