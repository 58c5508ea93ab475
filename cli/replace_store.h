// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_REPLACE_STORE_H_
#define STATECPP_CLI_REPLACE_STORE_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp compact` and `statecpp encrypt`: replace a store that nobody has
// open by a copy of it (engine/store_copy.h).
void AddReplaceStore(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_REPLACE_STORE_H_
