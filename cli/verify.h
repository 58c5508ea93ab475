// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_VERIFY_H_
#define STATECPP_CLI_VERIFY_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp verify`, which looks at every record of a store, and `walk-store`,
// which does it for `verify` and the server in a process of its own
// (engine/walk_child.h).
void AddVerify(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_VERIFY_H_
