// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_surroundings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
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

std::vector<uid_t> SocketSurroundings::TrustedUsers() const {
  std::vector<uid_t> users = {0, geteuid(), daprd.uid};
  struct stat info;
  if (!data_root.empty() && stat(data_root.c_str(), &info) == 0) {
    users.push_back(info.st_uid);
  }
  // Root's word for who he is otherwise, as sudo has it.
  const char* const caller = geteuid() == 0 ? std::getenv("SUDO_UID") : nullptr;
  uid_t uid;
  if (caller != nullptr && absl::SimpleAtoi(caller, &uid)) users.push_back(uid);
  return users;
}

std::string SocketSurroundings::ServeFix() const {
  return absl::StrCat("statecpp serve --data-root ",
                      data_root.empty() ? "DIR" : ShellWord(data_root),
                      " --socket-folder ", ShellWord(FolderPath()));
}

}  // namespace statecpp
