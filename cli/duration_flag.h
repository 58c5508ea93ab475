// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_DURATION_FLAG_H_
#define STATECPP_CLI_DURATION_FLAG_H_

#include <CLI/CLI.hpp>

#include "absl/time/time.h"

namespace statecpp {

// Adds a flag whose value is a duration in Go's syntax, as everywhere in Dapr;
// not a negative one. `duration` outlives `verb`.
CLI::Option* AddDuration(CLI::App* verb, const char* name,
                         absl::Duration& duration, const char* help);

}  // namespace statecpp

#endif  // STATECPP_CLI_DURATION_FLAG_H_
