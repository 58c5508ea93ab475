// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_INIT_H_
#define STATECPP_CLI_INIT_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp init`: a component and a key to begin with.
void AddInit(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_INIT_H_
