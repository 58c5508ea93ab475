// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_CONFIG_H_
#define STATECPP_CLI_CONFIG_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp config`: what is in effect of a component's metadata, as a server
// remembers it or as a YAML file says it.
void AddConfig(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_CONFIG_H_
