// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_SET_H_
#define STATECPP_CLI_SET_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp set`: writes one item, beside a server or without
// one.
void AddSet(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_SET_H_
