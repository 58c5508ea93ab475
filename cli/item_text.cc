// SPDX-License-Identifier: Apache-2.0
#include "cli/item_text.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

// Whether UTF-8 moves a terminal's cursor, or tells it to do something.
bool HasControl(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    if (c < 0x20 || c == 0x7F) return true;
    // U+0080 to U+009F.
    if (c == 0xC2 && static_cast<uint8_t>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

}  // namespace

std::string KeyText(absl::string_view key) {
  const bool plain = IsUtf8(key) && !HasControl(key);
  return plain ? std::string(key) : absl::CEscape(key);
}

std::string JsonLine(absl::string_view json) {
  std::string line;
  for (size_t i = 0; i < json.size(); ++i) {
    const auto c = static_cast<uint8_t>(json[i]);
    const auto next =
        i + 1 < json.size() ? static_cast<uint8_t>(json[i + 1]) : 0;
    if (c == '\n' || c == '\r' || c == '\t') {
      line.push_back(' ');  // stands between two tokens
    } else if (c == 0x7F) {
      line.append("\\u007f");
    } else if (c == 0xC2 && next >= 0x80 && next < 0xA0) {
      absl::StrAppend(&line, "\\u00", absl::Hex(next));
      ++i;
    } else {
      line.push_back(json[i]);
    }
  }
  return line;
}

std::string KeyMembers(absl::string_view key) {
  std::string members = absl::StrCat("\"key\":", JsonText(key));
  if (!IsUtf8(key)) {
    absl::StrAppend(&members, ",\"keyBase64\":\"", absl::Base64Escape(key),
                    "\"");
  }
  return members;
}

std::string BytesMember(absl::string_view name, absl::string_view bytes) {
  if (IsUtf8(bytes)) return absl::StrCat("\"", name, "\":", JsonText(bytes));
  return absl::StrCat("\"", name, "Base64\":\"", absl::Base64Escape(bytes),
                      "\"");
}

std::string ExpiryText(const AdminRow& row) {
  if (!row.expires_ms.has_value()) return "-";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ",
                          absl::FromUnixMillis(*row.expires_ms),
                          absl::UTCTimeZone());
}

std::string ItemLines(const AdminRow& row) {
  return absl::StrCat(
      "key: ", KeyText(row.key), "\netag: ", row.etag, "\nsize: ", row.size,
      "\ncontent type: ",
      row.content_type.empty() ? "-" : KeyText(row.content_type),
      "\nexpires: ", ExpiryText(row), "\n");
}

std::string ItemMembers(const AdminRow& row) {
  if (row.is_damaged)
    return absl::StrCat(KeyMembers(row.key), ",\"damaged\":true");
  return absl::StrCat(
      KeyMembers(row.key), ",\"etag\":", JsonText(row.etag),
      ",\"size\":", row.size, ",", BytesMember("contentType", row.content_type),
      ",\"expires\":",
      row.expires_ms.has_value() ? JsonText(ExpiryText(row)) : "null");
}

}  // namespace statecpp
