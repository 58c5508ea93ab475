// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_JSON_TEXT_H_
#define STATECPP_SERVER_JSON_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace statecpp {

// `text` as a JSON string, quotes and all. A byte that is not part of a UTF-8
// letter stands as U+FFFD: JSON has no bytes.
std::string JsonText(absl::string_view text);

// Whether JsonText says all of it.
bool IsUtf8(absl::string_view text);

}  // namespace statecpp

#endif  // STATECPP_SERVER_JSON_TEXT_H_
