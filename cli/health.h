// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_HEALTH_H_
#define STATECPP_CLI_HEALTH_H_

#include <string>

#include "absl/time/time.h"
#include "cli/exit_code.h"

namespace statecpp {

// Asks the server behind the socket of `socket_folder` (as `serve` chooses it)
// for its health and prints the answer. Asks again for up to `wait` while there
// is none. Exits 0 when it is SERVING, 6 when not.
ExitCode CheckHealth(const std::string& socket_folder, absl::Duration wait);

}  // namespace statecpp

#endif  // STATECPP_CLI_HEALTH_H_
