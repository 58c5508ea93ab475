// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_COMMAND_WORDS_H_
#define STATECPP_CLI_COMMAND_WORDS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace statecpp {

// The words of a command line, as a shell would split it, without anything else
// that a shell does: spaces and tabs part words, '…' and "…" keep what they
// enclose together, a backslash takes the next character as it is (but within
// '…'). nullopt: a quote is not closed, or a backslash is the last character.
std::optional<std::vector<std::string>> CommandWords(absl::string_view line);

}  // namespace statecpp

#endif  // STATECPP_CLI_COMMAND_WORDS_H_
