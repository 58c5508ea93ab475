// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_KEYS_TEXT_H_
#define STATECPP_CLI_KEYS_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "engine/keys_status.h"

namespace statecpp {

// What `statecpp keys status` prints, for people and, as one line of JSON, for
// programs. `store` is what the user calls it; `served`: a server has it.
std::string KeysText(absl::string_view store, const KeysStatus& status,
                     bool served);
std::string KeysJson(absl::string_view store, const KeysStatus& status);

// "1 record", "2 records".
std::string Records(uint64_t count);

}  // namespace statecpp

#endif  // STATECPP_CLI_KEYS_TEXT_H_
