// SPDX-License-Identifier: Apache-2.0
//
// The functions of the C library that write, sync, name or remove files. A
// symbol of the executable wins over libc's, for every library that it loads.
// What is forgotten here shows in recorder_test: the recording would come to
// other files than there are.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdlib>
#include <string>

#include "tests/power/recorder.h"

namespace {

statecpp::Recorder& Recorder() { return statecpp::Recorder::Get(); }

// The path that is meant by a folder's descriptor and a name.
std::string PathAt(int folder, const char* name) {
  if (folder == AT_FDCWD || name[0] == '/') return name;
  char path[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(folder);
  const ssize_t size = readlink(link.c_str(), path, sizeof(path));
  if (size < 0) return name;
  return std::string(path, size) + "/" + name;
}

int OpenAt(int folder, const char* path, int flags, mode_t mode) {
  if ((flags & O_CREAT) == 0) {
    return static_cast<int>(syscall(SYS_openat, folder, path, flags, mode));
  }
  return Recorder().Create(PathAt(folder, path), flags, mode);
}

mode_t ModeOf(int flags, va_list& arguments) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return OpenAt(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return OpenAt(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return OpenAt(folder, path, flags, mode);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  const iovec part = {const_cast<void*>(data), size};
  return Recorder().Write(fd, &part, 1, offset);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  const iovec part = {const_cast<void*>(data), size};
  return Recorder().Write(fd, &part, 1, offset);
}

ssize_t write(int fd, const void* data, size_t size) {
  const iovec part = {const_cast<void*>(data), size};
  return Recorder().Write(fd, &part, 1, std::nullopt);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  return Recorder().Write(fd, parts, count, std::nullopt);
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
  return Recorder().Write(fd, parts, count, offset);
}

int ftruncate(int fd, off_t size) noexcept {
  return Recorder().Resize(fd, size);
}

int ftruncate64(int fd, off64_t size) noexcept {
  return Recorder().Resize(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
  return Recorder().Allocate(fd, mode, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size) {
  return Recorder().Allocate(fd, 0, offset, size) == 0 ? 0 : errno;
}

int fsync(int fd) { return Recorder().Sync(fd, false); }

int fdatasync(int fd) { return Recorder().Sync(fd, true); }

int rename(const char* from, const char* to) noexcept {
  return Recorder().Rename(from, to, 0);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  return Recorder().Rename(PathAt(from_folder, from), PathAt(to_folder, to),
                           flags);
}

int unlink(const char* path) noexcept { return Recorder().Remove(path, false); }

int unlinkat(int folder, const char* path, int flags) noexcept {
  return Recorder().Remove(PathAt(folder, path), (flags & AT_REMOVEDIR) != 0);
}

int rmdir(const char* path) noexcept { return Recorder().Remove(path, true); }

int remove(const char* path) noexcept {
  const int removed = Recorder().Remove(path, false);
  return removed != 0 && errno == EISDIR ? Recorder().Remove(path, true)
                                         : removed;
}

int mkdir(const char* path, mode_t mode) noexcept {
  return Recorder().MakeFolder(path, mode);
}

char* mkdtemp(char* path) noexcept { return Recorder().MakeUniqueFolder(path); }

}  // extern "C"
