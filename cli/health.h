// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_HEALTH_H_
#define STATECPP_CLI_HEALTH_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp health`: asks the server behind the socket of a folder (as `serve`
// chooses it) for its health and prints the answer; with --wait, again while
// there is none. Exits 0 when it is SERVING, 6 when not.
void AddHealth(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_HEALTH_H_
