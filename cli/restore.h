// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_RESTORE_H_
#define STATECPP_CLI_RESTORE_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp restore`, which makes a store of a backup.
void AddRestore(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_RESTORE_H_
