// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_DELETE_H_
#define STATECPP_CLI_DELETE_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp delete`: removes one item, or all below a prefix, beside a server
// or without one.
void AddDelete(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_DELETE_H_
