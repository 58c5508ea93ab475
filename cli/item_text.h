// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_ITEM_TEXT_H_
#define STATECPP_CLI_ITEM_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "api/admin_item.h"

// Keys and items as verbs print them. A terminal shows all of it as it is: what
// could move its cursor or end a line does not stand in it. Thread-safe.
namespace statecpp {

// A key as it is, if it is text; else escaped as in C.
std::string KeyText(absl::string_view key);

// The members "key" and, if it is not UTF-8, "keyBase64" of an object.
std::string KeyMembers(absl::string_view key);

// JSON as it is, on one line; what would move the cursor is escaped in it.
std::string JsonLine(absl::string_view json);

// `"name":"text"`; of what is not UTF-8 `"nameBase64":"…"`.
std::string BytesMember(absl::string_view name, absl::string_view bytes);

// "2026-11-23T07:00:00.000Z"; "-" if it never expires.
std::string ExpiryText(const AdminRow& row);

// All but the value, with a line for each, or as members of an object.
std::string ItemLines(const AdminRow& row);
std::string ItemMembers(const AdminRow& row);

}  // namespace statecpp

#endif  // STATECPP_CLI_ITEM_TEXT_H_
