// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STAT_H_
#define STATECPP_CLI_STAT_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp stat`: the figures of a store, beside a server or without one.
void AddStat(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_STAT_H_
