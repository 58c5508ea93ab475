// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_ERROR_PAYLOAD_H_
#define STATECPP_CRYPTO_ERROR_PAYLOAD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

// What an error says of itself beside its code and text, which may quote
// anybody.
namespace statecpp::error {

// The same error with the command that mends what it is about, word by word: a
// path is one word, whatever is in it.
absl::Status WithMendingCommand(absl::Status status,
                                const std::vector<std::string>& words);
// Empty where an error names none.
std::vector<std::string> MendingCommand(const absl::Status& status);

}  // namespace statecpp::error

#endif  // STATECPP_CRYPTO_ERROR_PAYLOAD_H_
