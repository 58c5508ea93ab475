// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_LS_H_
#define STATECPP_CLI_LS_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp ls`: lists keys, never values, beside a server or without
// one.
void AddLs(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_LS_H_
