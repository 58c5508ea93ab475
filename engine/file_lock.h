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

// Keeps a FileLock from being taken while something is read, beside any number
// of others who read. Changes nothing on disk: the file is not made where it is
// not there, and does not say who reads. Whoever wants the lock meanwhile waits
// a second for it, whatever his patience: so it is held for a look and no
// longer.
//
//   absl::StatusOr<SharedFileLock> lock = SharedFileLock::Acquire(file);
//   ... read ...
//   if (!lock->Holds()) ...  // what was read may have changed meanwhile
class SharedFileLock {
 public:
  // Waits for nobody.
  //
  // UNAVAILABLE: it is held; the text names the holder.
  // INVALID_ARGUMENT: it is not a regular file.
  // Those of error::System: it cannot be opened or locked.
  static absl::StatusOr<SharedFileLock> Acquire(const std::string& file);

  SharedFileLock(SharedFileLock&& other) noexcept
      : file_(std::move(other.file_)), fd_(std::exchange(other.fd_, -1)) {}
  SharedFileLock& operator=(SharedFileLock&&) = delete;
  ~SharedFileLock();

  // Whether nobody can have had the FileLock since. False where the file was
  // not there and is now, or is another one.
  bool Holds() const;

 private:
  SharedFileLock(std::string file, int fd) : file_(std::move(file)), fd_(fd) {}

  std::string file_;
  int fd_;  // -1: there was no file
};

// Locks what is open as `fd`, waiting for those alone who hold it shared, and
// for them no longer than they may. 0, or what errno says: EWOULDBLOCK where
// somebody holds it.
int LockAlone(int fd);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_FILE_LOCK_H_
