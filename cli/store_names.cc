// SPDX-License-Identifier: Apache-2.0
#include "cli/store_names.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "api/instance_name.h"
#include "engine/errors.h"

namespace statecpp {

absl::StatusOr<std::vector<std::string>> StoreNames(
    const std::string& data_root) {
  const std::string folder = data_root + "/stores";
  std::vector<std::string> names;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(folder, failed), end;
       !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    // `.new-…` is one that is being made.
    if (!absl::StartsWith(name, ".") && entry->is_directory(ignored)) {
      names.push_back(NameOfFile(name));
    }
  }
  if (failed && failed.value() != ENOENT) {
    return error::System("list", folder, failed.value());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace statecpp
