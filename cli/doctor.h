// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_DOCTOR_H_
#define STATECPP_CLI_DOCTOR_H_

#include "cli/verb_table.h"

namespace statecpp {

// Adds `statecpp doctor`: looks at what daprd would find, and at what a server
// would, and prints what is wrong with it, each with its fix. Changes nothing.
void AddDoctor(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_DOCTOR_H_
