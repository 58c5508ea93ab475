// SPDX-License-Identifier: Apache-2.0
//
// As c_library.cc: the functions that look at files.
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tests/faults/fault_plan.h"

using statecpp::Call;
using statecpp::MakeCall;
using statecpp::Next;
using statecpp::PathOf;
using statecpp::plan;

extern "C" {

int access(const char* path, int mode) noexcept {
  static const auto next = Next<int(const char*, int)>("access");
  if (!plan.on) return next(path, mode);
  return MakeCall({"access", Call::kPlain}, path,
                  [&] { return next(path, mode); });
}

int stat(const char* path, struct stat* found) noexcept {
  static const auto next = Next<int(const char*, struct stat*)>("stat");
  if (!plan.on) return next(path, found);
  return MakeCall({"stat", Call::kPlain}, path,
                  [&] { return next(path, found); });
}

int lstat(const char* path, struct stat* found) noexcept {
  static const auto next = Next<int(const char*, struct stat*)>("lstat");
  if (!plan.on) return next(path, found);
  return MakeCall({"lstat", Call::kPlain}, path,
                  [&] { return next(path, found); });
}

int fstat(int fd, struct stat* found) noexcept {
  static const auto next = Next<int(int, struct stat*)>("fstat");
  if (!plan.on) return next(fd, found);
  return MakeCall({"fstat", Call::kPlain}, PathOf(fd),
                  [&] { return next(fd, found); });
}

// By which libraries of before glibc 2.33 call fstat.
int __fxstat(int version, int fd, struct stat* found) noexcept {
  static const auto next = Next<int(int, int, struct stat*)>("__fxstat");
  if (!plan.on) return next(version, fd, found);
  return MakeCall({"fstat", Call::kPlain}, PathOf(fd),
                  [&] { return next(version, fd, found); });
}

int statfs(const char* path, struct statfs* found) noexcept {
  static const auto next = Next<int(const char*, struct statfs*)>("statfs");
  if (!plan.on) return next(path, found);
  return MakeCall({"statfs", Call::kPlain}, path,
                  [&] { return next(path, found); });
}

int statvfs(const char* path, struct statvfs* found) noexcept {
  static const auto next = Next<int(const char*, struct statvfs*)>("statvfs");
  if (!plan.on) return next(path, found);
  return MakeCall({"statvfs", Call::kPlain}, path,
                  [&] { return next(path, found); });
}

int fstatvfs(int fd, struct statvfs* found) noexcept {
  static const auto next = Next<int(int, struct statvfs*)>("fstatvfs");
  if (!plan.on) return next(fd, found);
  return MakeCall({"fstatvfs", Call::kPlain}, PathOf(fd),
                  [&] { return next(fd, found); });
}

}  // extern "C"
