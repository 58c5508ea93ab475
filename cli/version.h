// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_VERSION_H_
#define STATECPP_CLI_VERSION_H_

#include "cli/verb_table.h"

namespace statecpp {

inline constexpr char kVersion[] = "0.1.0";

// `statecpp version`: prints it.
void AddVersion(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_VERSION_H_
