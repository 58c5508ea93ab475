// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_environment.h"

#include <sodium.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace statecpp {

std::optional<SecretBytes> TakeVariable(const std::string& name) {
  const char* const value = getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  SecretBytes taken = SecretBytes::Copy(value);
  // unsetenv only forgets where they stood. A variable may be there twice.
  const std::string start = absl::StrCat(name, "=");
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!absl::StartsWith(*entry, start)) continue;
    char* const each = *entry + start.size();
    sodium_memzero(each, std::strlen(each));
  }
  unsetenv(name.c_str());
  return taken;
}

}  // namespace statecpp
