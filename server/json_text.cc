// SPDX-License-Identifier: Apache-2.0
#include "server/json_text.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace statecpp {
namespace {

bool IsContinuation(char c) { return (c & 0xC0) == 0x80; }

// The bytes of the UTF-8 letter that `text` begins with; 0 if it begins with
// none. Too long a form, a surrogate and what is beyond Unicode are none.
size_t LetterSize(absl::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return 1;
  const size_t size = first < 0xC2   ? 0
                      : first < 0xE0 ? 2
                      : first < 0xF0 ? 3
                      : first < 0xF5 ? 4
                                     : 0;
  if (size == 0 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  const auto second = static_cast<uint8_t>(text[1]);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return size;
}

}  // namespace

std::string JsonText(absl::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const size_t size = LetterSize(text);
    const char c = text[0];
    if (size == 0) {
      json += "\xEF\xBF\xBD";
    } else if (c == '"' || c == '\\') {
      absl::StrAppend(&json, "\\", text.substr(0, 1));
    } else if (static_cast<uint8_t>(c) < 0x20) {
      absl::StrAppendFormat(&json, "\\u%04x", static_cast<int>(c));
    } else {
      absl::StrAppend(&json, text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return json + "\"";
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t size = LetterSize(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace statecpp
