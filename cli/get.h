// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_GET_H_
#define STATECPP_CLI_GET_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp get`: prints the value of one item, beside a server or without
// one.
void AddGet(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_GET_H_
