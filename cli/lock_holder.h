// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_LOCK_HOLDER_H_
#define STATECPP_CLI_LOCK_HOLDER_H_

#include <sys/types.h>

#include <string>

#include "absl/strings/string_view.h"

namespace statecpp {

// Who holds a lock file, looked at without waiting for it and without writing
// to it.
//
//   const LockHolder holder = LookAtLock(data_root + "/LOCK");
//   if (holder.state == LockHolder::State::kHeld) ...  // holder.text
struct LockHolder {
  enum class State {
    kAbsent,   // no such file: nobody ever held it
    kFree,     // what the file says is of one that has ended
    kHeld,     // a process that runs holds it, here or in another container
    kUnknown,  // it may not be looked at: error_number says why, or it is no
               // regular file, and that is 0
  };

  State state;
  // What the holder says of itself: "pid 12 on host since …"; or said, of one
  // that is gone. Empty if it said nothing. Whoever may write the file can have
  // it say anything.
  std::string text = "";
  // The process that holds it, as the kernel has it; else what the text names,
  // if it is of this host; else 0.
  pid_t pid = 0;
  // The kernel says so: that process holds it now, and runs here.
  bool pid_runs = false;
  // What that process runs: "statecpp serve". Empty if it cannot be seen.
  std::string command = "";
  int error_number = 0;
};

// Takes the lock, where the kernel shows nobody who holds it, for an instant as
// somebody else who reads: who wants it meanwhile waits (engine/file_lock.h).
LockHolder LookAtLock(const std::string& file);

// What ends the holder, for a shell: `kill` of a process that the kernel names,
// but not of a verb on its way, which ends by itself; else `otherwise`.
std::string CommandToEnd(const LockHolder& holder, absl::string_view otherwise);

}  // namespace statecpp

#endif  // STATECPP_CLI_LOCK_HOLDER_H_
