// SPDX-License-Identifier: Apache-2.0
#include "api/instance_name.h"

#include <google/protobuf/stubs/common.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "api/errors.h"

namespace statecpp {
namespace {

// Linux allows 255 bytes; the rest is for extensions.
constexpr size_t kMaxFileName = 240;

bool FitsFileName(char c) {
  return !absl::ascii_iscntrl(c) && c != '/' && c != '%';
}

std::string PercentEncoded(absl::string_view name) {
  std::string encoded;
  for (const char c : name) {
    const bool hides = encoded.empty() && c == '.';
    if (FitsFileName(c) && !hides) {
      encoded += c;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<uint8_t>(c));
    }
  }
  return encoded;
}

}  // namespace

absl::string_view InstanceName(absl::string_view id) {
  return id.empty() ? "default" : id;
}

absl::StatusOr<std::string> FileNameOf(absl::string_view name) {
  if (!google::protobuf::internal::IsStructurallyValidUTF8(
          name.data(), static_cast<int>(name.size()))) {
    return error::InstanceNameNotUtf8();
  }
  std::string file_name = PercentEncoded(name);
  if (file_name.size() > kMaxFileName) {
    return error::InstanceNameTooLong(file_name.size(), kMaxFileName);
  }
  return file_name;
}

std::string NameOfFile(absl::string_view file_name) {
  std::string name;
  for (size_t i = 0; i < file_name.size(); ++i) {
    if (file_name[i] == '%' && i + 2 < file_name.size() &&
        absl::ascii_isxdigit(file_name[i + 1]) &&
        absl::ascii_isxdigit(file_name[i + 2])) {
      name += absl::HexStringToBytes(file_name.substr(i + 1, 2));
      i += 2;
    } else {
      name += file_name[i];
    }
  }
  return name;
}

bool IsDataDir(absl::string_view text) {
  for (const absl::string_view segment : absl::StrSplit(text, '/')) {
    if (segment.empty() || absl::StartsWith(segment, ".")) return false;
  }
  return FileNameOf(text).ok();
}

}  // namespace statecpp
