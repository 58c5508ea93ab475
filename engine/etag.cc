// SPDX-License-Identifier: Apache-2.0
#include "engine/etag.h"

#include "absl/strings/str_cat.h"

namespace statecpp {

std::optional<ETag> ETag::Parse(absl::string_view text) {
  if (text.size() != 16) return std::nullopt;
  uint64_t version = 0;
  for (const char c : text) {
    version <<= 4;
    if (c >= '0' && c <= '9') {
      version |= c - '0';
    } else if (c >= 'a' && c <= 'f') {
      version |= c - 'a' + 10;
    } else {
      return std::nullopt;
    }
  }
  return ETag(version);
}

std::string ETag::ToString() const {
  return absl::StrCat(absl::Hex(version_, absl::kZeroPad16));
}

}  // namespace statecpp
