// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_LOCK_HOLDER_H_
#define STATECPP_CLI_LOCK_HOLDER_H_

#include <sys/types.h>

#include <string>

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
    kUnknown,  // it may not be looked at; error_number says why
  };

  State state;
  // What the holder says of itself: "pid 12 on host since …"; or said, of one
  // that is gone. Empty if it said nothing.
  std::string text = "";
  // What that names, if it is of this host; else 0.
  pid_t pid = 0;
  // Whether a process of that number runs here.
  bool pid_runs = false;
  int error_number = 0;
};

// Takes the lock for an instant where it is free, as somebody else who reads:
// who waits for it meanwhile tries again by himself.
LockHolder LookAtLock(const std::string& file);

}  // namespace statecpp

#endif  // STATECPP_CLI_LOCK_HOLDER_H_
