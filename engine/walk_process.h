// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_WALK_PROCESS_H_
#define STATECPP_ENGINE_WALK_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/secret.h"

namespace statecpp {

// A child process, as one walk needs it: it gets one key through its standard
// input, and its standard output is read in lines. It has no environment and
// none of this process's files, and is gone with this object, however far it
// came.
//
// Thread-compatible; the thread that starts it should wait for it, as the child
// may ask to end with that thread.
class WalkProcess {
 public:
  // Those of error::System: there is no such program, or no process more.
  static absl::StatusOr<std::unique_ptr<WalkProcess>> Start(
      const std::vector<std::string>& arguments);
  ~WalkProcess();

  WalkProcess(const WalkProcess&) = delete;
  WalkProcess& operator=(const WalkProcess&) = delete;

  // A child that is gone does not matter here: reading tells.
  void Send(const Secret& key);

  enum class Event { kLine, kTimeout, kTooLong, kEnd };
  // Waits for the next line, which is then in `line`, without its newline. What
  // follows the last newline is no line.
  Event Read(std::string& line, absl::Duration timeout);

  // Ends it if it has not ended, and says how it did.
  struct End {
    int exit_code = 0;
    int signal = 0;  // or 0
  };
  End Finish();

 private:
  WalkProcess(pid_t pid, int in, int out) : pid_(pid), in_(in), out_(out) {}

  pid_t pid_;
  const int in_;   // its standard input
  const int out_;  // its standard output
  std::string buffer_;
  size_t searched_ = 0;  // of the buffer, for a newline
  std::optional<End> end_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_WALK_PROCESS_H_
