// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_QUERY_H_
#define STATECPP_CLI_QUERY_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp query`: Dapr's query API for people and scripts, beside a server or
// without one.
void AddQuery(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_QUERY_H_
