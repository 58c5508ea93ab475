// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_END_SIGNALS_H_
#define STATECPP_CLI_END_SIGNALS_H_

#include <signal.h>

namespace statecpp {

// The signals that ask the program to end: SIGTERM and SIGINT.
sigset_t EndSignals();

// The first thing main does: a thread that a library starts before `serve`
// waits for them would let them end the process. SIGPIPE is ignored from then
// on.
void BlockEndSignals();

// For a verb that does not wait for them: they end the process, as is usual.
void UnblockEndSignals();

// Whether one of them has come; they are blocked.
bool EndWasAsked();

}  // namespace statecpp

#endif  // STATECPP_CLI_END_SIGNALS_H_
