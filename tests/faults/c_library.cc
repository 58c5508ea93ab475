// SPDX-License-Identifier: Apache-2.0
//
// The C library's functions on files, in their place: a symbol of the
// executable wins over those of libraries, also for liblmdb.so and
// libstdc++.so. Each goes on to the C library's own, unless the plan
// (fault_plan.h) says that it fails.
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "tests/faults/fault_plan.h"

using statecpp::Call;
using statecpp::MakeCall;
using statecpp::MoveBytes;
using statecpp::Next;
using statecpp::PathAt;
using statecpp::PathOf;
using statecpp::plan;

namespace {

size_t BytesOf(const struct iovec* vector, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes += vector[i].iov_len;
  return bytes;
}

// The first `bytes` of the vector, by one write.
template <typename Write>
ssize_t WriteVector(const struct iovec* vector, int count, size_t bytes,
                    Write write) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    all.append(static_cast<const char*>(vector[i].iov_base), vector[i].iov_len);
  }
  return write(all.data(), std::min(bytes, all.size()));
}

}  // namespace

extern "C" {

static int OpenAt(int folder, const char* path, int flags, mode_t mode) {
  static const auto next = Next<int(int, const char*, int, ...)>("openat");
  const auto go = [&] { return next(folder, path, flags, mode); };
  if (!plan.on) return go();
  const bool makes = flags & O_CREAT;
  return MakeCall(
      {makes ? "open-create" : "open", makes ? Call::kTakesRoom : Call::kPlain},
      PathAt(folder, path), go);
}

static mode_t ModeOf(int flags, va_list& more) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = ModeOf(flags, more);
  va_end(more);
  return OpenAt(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = ModeOf(flags, more);
  va_end(more);
  return OpenAt(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = ModeOf(flags, more);
  va_end(more);
  return OpenAt(folder, path, flags, mode);
}

ssize_t read(int fd, void* bytes, size_t size) {
  static const auto next = Next<ssize_t(int, void*, size_t)>("read");
  if (!plan.on) return next(fd, bytes, size);
  return MoveBytes({"read", Call::kReads, size}, fd,
                   [&](size_t part) { return next(fd, bytes, part); });
}

ssize_t pread(int fd, void* bytes, size_t size, off_t at) {
  static const auto next = Next<ssize_t(int, void*, size_t, off_t)>("pread");
  if (!plan.on) return next(fd, bytes, size, at);
  return MoveBytes({"pread", Call::kReads, size}, fd,
                   [&](size_t part) { return next(fd, bytes, part, at); });
}

ssize_t pread64(int fd, void* bytes, size_t size, off_t at) {
  return pread(fd, bytes, size, at);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto next = Next<ssize_t(int, const void*, size_t)>("write");
  if (!plan.on) return next(fd, bytes, size);
  return MoveBytes({"write", Call::kWrites, size}, fd,
                   [&](size_t part) { return next(fd, bytes, part); });
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static const auto next =
      Next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  if (!plan.on) return next(fd, bytes, size, at);
  return MoveBytes({"pwrite", Call::kWrites, size}, fd,
                   [&](size_t part) { return next(fd, bytes, part, at); });
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off_t at) {
  return pwrite(fd, bytes, size, at);
}

ssize_t writev(int fd, const struct iovec* vector, int count) {
  static const auto next =
      Next<ssize_t(int, const struct iovec*, int)>("writev");
  static const auto write = Next<ssize_t(int, const void*, size_t)>("write");
  if (!plan.on) return next(fd, vector, count);
  return MoveBytes({"writev", Call::kWrites, BytesOf(vector, count)}, fd,
                   [&](size_t part) {
                     return WriteVector(vector, count, part,
                                        [&](const char* bytes, size_t size) {
                                          return write(fd, bytes, size);
                                        });
                   });
}

ssize_t pwritev(int fd, const struct iovec* vector, int count, off_t at) {
  static const auto next =
      Next<ssize_t(int, const struct iovec*, int, off_t)>("pwritev");
  static const auto write =
      Next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  if (!plan.on) return next(fd, vector, count, at);
  return MoveBytes({"pwritev", Call::kWrites, BytesOf(vector, count)}, fd,
                   [&](size_t part) {
                     return WriteVector(vector, count, part,
                                        [&](const char* bytes, size_t size) {
                                          return write(fd, bytes, size, at);
                                        });
                   });
}

int fsync(int fd) {
  static const auto next = Next<int(int)>("fsync");
  if (!plan.on) return next(fd);
  return MakeCall({"fsync", Call::kSyncs}, PathOf(fd),
                  [&] { return next(fd); });
}

int fdatasync(int fd) {
  static const auto next = Next<int(int)>("fdatasync");
  if (!plan.on) return next(fd);
  return MakeCall({"fdatasync", Call::kSyncs}, PathOf(fd),
                  [&] { return next(fd); });
}

int ftruncate(int fd, off_t size) noexcept {
  static const auto next = Next<int(int, off_t)>("ftruncate");
  if (!plan.on) return next(fd, size);
  return MakeCall({"ftruncate", Call::kTakesRoom}, PathOf(fd),
                  [&] { return next(fd, size); });
}

int fallocate(int fd, int mode, off_t at, off_t size) {
  static const auto next = Next<int(int, int, off_t, off_t)>("fallocate");
  if (!plan.on) return next(fd, mode, at, size);
  return MakeCall({"fallocate", Call::kTakesRoom}, PathOf(fd),
                  [&] { return next(fd, mode, at, size); });
}

// Returns its error.
int posix_fallocate(int fd, off_t at, off_t size) {
  static const auto next = Next<int(int, off_t, off_t)>("posix_fallocate");
  if (!plan.on) return next(fd, at, size);
  int error = 0;
  const int made =
      MakeCall({"posix_fallocate", Call::kTakesRoom}, PathOf(fd), [&] {
        error = next(fd, at, size);
        return 0;
      });
  return made == 0 ? error : errno;
}

int rename(const char* from, const char* to) noexcept {
  static const auto next = Next<int(const char*, const char*)>("rename");
  if (!plan.on) return next(from, to);
  return MakeCall({"rename", Call::kTakesRoom}, from,
                  [&] { return next(from, to); });
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  static const auto next =
      Next<int(int, const char*, int, const char*, unsigned)>("renameat2");
  const auto go = [&] { return next(from_folder, from, to_folder, to, flags); };
  if (!plan.on) return go();
  return MakeCall({"renameat2", Call::kTakesRoom}, PathAt(from_folder, from),
                  go);
}

int link(const char* from, const char* to) noexcept {
  static const auto next = Next<int(const char*, const char*)>("link");
  if (!plan.on) return next(from, to);
  return MakeCall({"link", Call::kTakesRoom}, from,
                  [&] { return next(from, to); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto next = Next<int(const char*, mode_t)>("mkdir");
  if (!plan.on) return next(path, mode);
  return MakeCall({"mkdir", Call::kTakesRoom}, path,
                  [&] { return next(path, mode); });
}

char* mkdtemp(char* path) noexcept {
  static const auto next = Next<char*(char*)>("mkdtemp");
  if (!plan.on) return next(path);
  char* made = nullptr;
  MakeCall({"mkdtemp", Call::kTakesRoom}, path, [&] {
    made = next(path);
    return made != nullptr ? 0 : -1;
  });
  return made;
}

int unlink(const char* path) noexcept {
  static const auto next = Next<int(const char*)>("unlink");
  if (!plan.on) return next(path);
  return MakeCall({"unlink", Call::kPlain}, path, [&] { return next(path); });
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  static const auto next = Next<int(int, const char*, int)>("unlinkat");
  if (!plan.on) return next(folder, path, flags);
  return MakeCall({"unlinkat", Call::kPlain}, PathAt(folder, path),
                  [&] { return next(folder, path, flags); });
}

int remove(const char* path) noexcept {
  static const auto next = Next<int(const char*)>("remove");
  if (!plan.on) return next(path);
  return MakeCall({"remove", Call::kPlain}, path, [&] { return next(path); });
}

int rmdir(const char* path) noexcept {
  static const auto next = Next<int(const char*)>("rmdir");
  if (!plan.on) return next(path);
  return MakeCall({"rmdir", Call::kPlain}, path, [&] { return next(path); });
}

int chmod(const char* path, mode_t mode) noexcept {
  static const auto next = Next<int(const char*, mode_t)>("chmod");
  if (!plan.on) return next(path, mode);
  return MakeCall({"chmod", Call::kTakesRoom}, path,
                  [&] { return next(path, mode); });
}

int fchmod(int fd, mode_t mode) noexcept {
  static const auto next = Next<int(int, mode_t)>("fchmod");
  if (!plan.on) return next(fd, mode);
  return MakeCall({"fchmod", Call::kTakesRoom}, PathOf(fd),
                  [&] { return next(fd, mode); });
}

int utimensat(int folder, const char* path, const struct timespec times[2],
              int flags) noexcept {
  static const auto next =
      Next<int(int, const char*, const struct timespec*, int)>("utimensat");
  if (!plan.on) return next(folder, path, times, flags);
  return MakeCall({"utimensat", Call::kTakesRoom}, PathAt(folder, path),
                  [&] { return next(folder, path, times, flags); });
}

int flock(int fd, int operation) noexcept {
  static const auto next = Next<int(int, int)>("flock");
  if (!plan.on) return next(fd, operation);
  return MakeCall({"flock", Call::kPlain}, PathOf(fd),
                  [&] { return next(fd, operation); });
}

// Its locks only. The argument is a pointer then, and is handed on as one.
int fcntl(int fd, int command, ...) {
  static const auto next = Next<int(int, int, ...)>("fcntl");
  va_list more;
  va_start(more, command);
  void* const argument = va_arg(more, void*);
  va_end(more);
  if (!plan.on || (command != F_SETLK && command != F_SETLKW)) {
    return next(fd, command, argument);
  }
  return MakeCall({"fcntl-lock", Call::kPlain}, PathOf(fd),
                  [&] { return next(fd, command, argument); });
}

void* mmap(void* at, size_t size, int protection, int flags, int fd,
           off_t from) noexcept {
  static const auto next =
      Next<void*(void*, size_t, int, int, int, off_t)>("mmap");
  // Memory is not what is failed here.
  if (!plan.on || fd < 0) return next(at, size, protection, flags, fd, from);
  void* memory = MAP_FAILED;
  if (MakeCall({"mmap", Call::kPlain}, PathOf(fd),
               [&] {
                 memory = next(at, size, protection, flags, fd, from);
                 return memory != MAP_FAILED ? 0 : -1;
               }) != 0 &&
      errno == EIO) {
    errno = ENOMEM;
  }
  return memory;
}

}  // extern "C"
