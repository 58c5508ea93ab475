// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_SERVE_H_
#define STATECPP_CLI_SERVE_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp serve`: serves until SIGTERM or SIGINT, then takes the socket away,
// finishes what is in hand and ends. A second signal ends the process without
// waiting.
void AddServe(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_SERVE_H_
