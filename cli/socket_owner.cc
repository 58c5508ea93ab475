// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_owner.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace statecpp {
namespace {

bool Has(const std::vector<uid_t>& trusted, uid_t uid) {
  return std::find(trusted.begin(), trusted.end(), uid) != trusted.end();
}

bool IsOpenToAll(const FileOwner& folder) {
  return (folder.mode & S_IWOTH) != 0;
}

}  // namespace

std::optional<FileOwner> OwnerOf(const std::string& path) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return std::nullopt;
  return FileOwner{.uid = info.st_uid, .mode = info.st_mode};
}

bool IsStrangersFolder(const FileOwner& folder, const FileOwner& parent,
                       const std::vector<uid_t>& trusted) {
  return IsOpenToAll(parent) && !Has(trusted, folder.uid);
}

bool IsStrangersSocket(uid_t socket, uid_t listener, const FileOwner& folder,
                       const std::vector<uid_t>& trusted) {
  return IsOpenToAll(folder) &&
         (!Has(trusted, socket) || !Has(trusted, listener));
}

bool IsWorthNaming(const std::string& folder, const std::string& socket,
                   const std::vector<uid_t>& trusted) {
  std::error_code failed;
  // A link could lead elsewhere tomorrow.
  if (std::filesystem::canonical(folder, failed) != folder) return false;
  const std::optional<FileOwner> whole = OwnerOf(folder);
  const std::optional<FileOwner> found = OwnerOf(socket);
  return whole.has_value() && found.has_value() && S_ISSOCK(found->mode) &&
         !IsOpenToAll(*whole) && Has(trusted, whole->uid) &&
         Has(trusted, found->uid);
}

}  // namespace statecpp
