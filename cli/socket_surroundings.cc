// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_surroundings.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "cli/finding_text.h"

namespace statecpp {

std::string WholePath(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path whole = fs::absolute(path, failed);
  std::string text = (failed ? fs::path(path) : whole).lexically_normal();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

std::string ExportFix(const std::string& folder) {
  return absl::StrCat("export ", kDaprdVariable, "=", ShellWord(folder));
}

std::string RemoveFix(const std::string& path) {
  return absl::StrCat("rm ", ShellWord(path));
}

std::string SocketSurroundings::FolderPath() const {
  return WholePath(folder.path);
}

std::string SocketSurroundings::ServeFix() const {
  return absl::StrCat("statecpp serve --data-root ",
                      data_root.empty() ? "DIR" : ShellWord(data_root),
                      " --socket-folder ", ShellWord(FolderPath()));
}

}  // namespace statecpp
