// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_FILE_LOCK_H_
#define STATECPP_ENGINE_FILE_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace statecpp {

// An exclusive lock on a file that says who holds it. LMDB's own lock lets two
// processes open one store, and fails between containers whose processes have
// the same number; flock() belongs to the open file and works in both cases,
// also between two opens in one process.
//
//   absl::StatusOr<FileLock> lock = FileLock::Acquire("data/LOCK", timeout);
//
// Released when destroyed, or by the system when the process ends, however it
// ends. The file stays: what it says is only meant while it is locked.
class FileLock {
 public:
  // Waits up to `timeout`; makes the file when it is not there.
  //
  // UNAVAILABLE: it is held; the text names the holder.
  // Those of error::System: it cannot be opened or locked.
  static absl::StatusOr<FileLock> Acquire(const std::string& file,
                                          absl::Duration timeout);

  // Who holds it, for an error that says more than Acquire's. "another process"
  // if it does not say.
  static std::string HolderOf(const std::string& file);

  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_FILE_LOCK_H_
