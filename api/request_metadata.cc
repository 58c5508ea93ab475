// SPDX-License-Identifier: Apache-2.0
#include "api/request_metadata.h"

#include "absl/strings/match.h"

namespace statecpp {

const std::string* FindMetadata(const RequestMetadata& metadata,
                                absl::string_view name) {
  const RequestMetadata::value_type* found = nullptr;
  for (const RequestMetadata::value_type& entry : metadata) {
    if (!absl::EqualsIgnoreCase(entry.first, name)) continue;
    if (entry.first == name) return &entry.second;
    if (found == nullptr || entry.first < found->first) found = &entry;
  }
  return found == nullptr ? nullptr : &found->second;
}

}  // namespace statecpp
