// SPDX-License-Identifier: Apache-2.0
#include "crypto/master_key.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace statecpp {

bool IsMasterKeyName(absl::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

}  // namespace statecpp
