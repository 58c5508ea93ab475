// SPDX-License-Identifier: Apache-2.0
#include "crypto/master_key.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace statecpp {

bool IsMasterKeyName(absl::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

MasterKey Renamed(const MasterKey& key, std::string name) {
  if (key.key() != nullptr) {
    return MasterKey::FromKey(std::move(name),
                              Secret(key.key()->RevealKeyBytes()));
  }
  return MasterKey::FromPassphrase(
      std::move(name), SecretBytes::Copy(key.passphrase()->RevealText()));
}

}  // namespace statecpp
