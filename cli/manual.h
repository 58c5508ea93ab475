// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_MANUAL_H_
#define STATECPP_CLI_MANUAL_H_

#include <CLI/CLI.hpp>
#include <string>

#include "cli/verb_table.h"

namespace statecpp {

// The manual page statecpp(1): all that --help says of every verb and flag, in
// the language of man.
std::string ManualPage(const CLI::App& program);

// What bash runs to complete the words of a command line: verbs, their flags,
// and files where a flag takes one.
std::string BashCompletion(const CLI::App& program);

// `statecpp manual` and `statecpp completion`, which print these two. `verbs`
// outlives them.
void AddManual(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_MANUAL_H_
