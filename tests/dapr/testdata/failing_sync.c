// SPDX-License-Identifier: Apache-2.0
//
// Loaded by LD_PRELOAD: fdatasync() fails as on a broken disk for as long as
// there is a file $FAIL_SYNCS_IF.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int fd) {
  const char* trigger = getenv("FAIL_SYNCS_IF");
  if (trigger != NULL && access(trigger, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  return (int)syscall(SYS_fdatasync, fd);
}
