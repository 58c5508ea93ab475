// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_FAULTS_FAULT_PLAN_H_
#define STATECPP_TESTS_FAULTS_FAULT_PLAN_H_

#include <dlfcn.h>
#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <string>

#include "tests/faults/fault.h"

// How a call of c_library.cc learns what is to become of it.
namespace statecpp {

// Read by every call.
struct FaultPlan {
  std::atomic<bool> on = false;
  std::string folder;
  Fault fault;
  CallRecord* record = nullptr;
};
extern FaultPlan plan;

// A call, and what it may come to by its nature.
struct Call {
  enum Nature : unsigned {
    kPlain = 0,
    kTakesRoom = 1,  // may fail for want of it
    kSyncs = 2,
    kWrites = 4,
    kReads = 8,
  };

  const char* name;
  unsigned nature;
  size_t bytes = 0;  // of reads and writes
};

// What a descriptor stands for, and what a path in a folder does.
std::string PathOf(int fd);
std::string PathAt(int folder, const char* path);

// Counts the call. The fault that it meets; kNone: none. Does not return where
// the process is killed first.
Fault::Kind Decide(const Call& call, const std::string& path, int fd);

// SIGKILL to this process.
[[noreturn]] void Die();

// What the fault leaves in errno; 0: nothing.
inline int ErrorOf(Fault::Kind kind) {
  if (kind == Fault::Kind::kEio) return EIO;
  return kind == Fault::Kind::kEnospc ? ENOSPC : 0;
}

// The C library's function, behind the one that stands in its place.
template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

inline int FailLate() {
  errno = EIO;
  return -1;
}

// A call that is made whole, by `go`, or not at all.
template <typename Go>
int MakeCall(const Call& call, const std::string& path, Go go) {
  const Fault::Kind kind = Decide(call, path, -1);
  if (kind == Fault::Kind::kSwallow) return 0;
  if (const int error = ErrorOf(kind); error != 0) {
    errno = error;
    return -1;
  }
  const int result = go();
  if (kind == Fault::Kind::kKillAfter) Die();
  return kind == Fault::Kind::kLateEio ? FailLate() : result;
}

// A call that reads or writes as many bytes as `go` is told.
template <typename Go>
ssize_t MoveBytes(const Call& call, int fd, Go go) {
  constexpr size_t kPage = 4096;
  const Fault::Kind kind = Decide(call, PathOf(fd), fd);
  if (kind == Fault::Kind::kSwallow) return static_cast<ssize_t>(call.bytes);
  if (const int error = ErrorOf(kind); error != 0) {
    errno = error;
    return -1;
  }
  if (kind == Fault::Kind::kShort) return go(call.bytes / 2);
  if (kind == Fault::Kind::kKillWithin) {
    go(std::max(kPage, call.bytes / 2 / kPage * kPage));
    Die();
  }
  const ssize_t result = go(call.bytes);
  if (kind == Fault::Kind::kKillAfter) Die();
  return kind == Fault::Kind::kLateEio ? FailLate() : result;
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_FAULTS_FAULT_PLAN_H_
