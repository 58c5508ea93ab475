// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_BACKUP_H_
#define STATECPP_CLI_BACKUP_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp backup`, which has a store copied while it is served, or copies one
// that nobody serves.
void AddBackup(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_BACKUP_H_
