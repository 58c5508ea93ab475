// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_SERVE_H_
#define STATECPP_CLI_SERVE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/exit_code.h"

namespace statecpp {

// The flags of `statecpp serve`, as given.
struct ServeFlags {
  std::string socket_folder = "";
  std::string socket_mode = "auto";
  std::string data_root = "";
  bool dev = false;
  std::vector<unsigned> allow_uids = {};
  int max_connections = 256;
  absl::Duration wait_lock = absl::ZeroDuration();
  absl::Duration drain_timeout = absl::ZeroDuration();
  bool allow_network_fs = false;
  bool allow_core_dumps = false;
  bool require_mlock = false;
};

// Blocks the signals that Serve waits for. The first thing main does: a thread
// that a library starts earlier would let them end the process.
void BlockSignals();

// Serves until SIGTERM or SIGINT, then takes the socket away, finishes what is
// in hand and returns. A second signal ends the process without waiting.
ExitCode Serve(const ServeFlags& flags);

}  // namespace statecpp

#endif  // STATECPP_CLI_SERVE_H_
