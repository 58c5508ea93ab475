// SPDX-License-Identifier: Apache-2.0
#include "cli/folder_access.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace statecpp {
namespace {

constexpr mode_t kRead = 4;
constexpr mode_t kWrite = 2;
constexpr mode_t kEnter = 1;

std::optional<AccessBarrier> BarrierAt(const std::string& path,
                                       const FileUser& user, mode_t wanted) {
  struct stat info;
  if (user.uid == 0 || stat(path.c_str(), &info) != 0) return std::nullopt;
  // The first that fits decides, also where a later one would give more.
  const bool of_group = std::find(user.groups.begin(), user.groups.end(),
                                  info.st_gid) != user.groups.end();
  const int shift = info.st_uid == user.uid ? 6 : of_group ? 3 : 0;
  const mode_t given = (info.st_mode >> shift) & 7;
  const mode_t missing = wanted & ~given;
  if (missing == 0) return std::nullopt;
  return AccessBarrier{.path = path,
                       .mode = info.st_mode & 07777,
                       .owner = info.st_uid,
                       .group = info.st_gid,
                       .missing = missing,
                       .his = "ogu"[shift / 3]};
}

// The entry of the machine's list of users; nullopt if there is none.
struct ListedUser {
  std::string name;
  gid_t group;
};

std::optional<ListedUser> FindUser(uid_t uid) {
  std::vector<char> buffer(1 << 14);
  passwd entry;
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return std::nullopt;
  }
  return ListedUser{.name = found->pw_name, .group = found->pw_gid};
}

bool IsInContainer() {
  // Of Kubernetes, Docker, and Podman.
  return std::getenv("KUBERNETES_SERVICE_HOST") != nullptr ||
         access("/.dockerenv", F_OK) == 0 ||
         access("/run/.containerenv", F_OK) == 0;
}

}  // namespace

FileUser UserByLists(uid_t uid) {
  const std::optional<ListedUser> user = FindUser(uid);
  if (!user.has_value()) return {uid, {uid}};
  // As many as Linux gives a process.
  std::vector<gid_t> groups(65536);
  int count = static_cast<int>(groups.size());
  getgrouplist(user->name.c_str(), user->group, groups.data(), &count);
  groups.resize(std::min(static_cast<size_t>(count), groups.size()));
  return {uid, groups};
}

std::string NameOfUser(uid_t uid) {
  const std::optional<ListedUser> user = FindUser(uid);
  return user.has_value() ? user->name : "";
}

std::string NameOfGroup(gid_t gid) {
  std::vector<char> buffer(1 << 16);
  group entry;
  group* found = nullptr;
  if (getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return std::to_string(gid);
  }
  return found->gr_name;
}

bool AccessBarrier::GroupWouldHelp() const {
  return his == 'o' && (missing & ~(mode >> 3)) == 0;
}

std::optional<AccessBarrier> BarrierToFolder(const std::string& folder,
                                             const FileUser& user) {
  std::error_code failed;
  // Through links, as the kernel goes.
  std::filesystem::path whole = std::filesystem::canonical(folder, failed);
  if (failed) return std::nullopt;
  std::string path;
  for (const std::filesystem::path& part : whole.parent_path()) {
    path = (std::filesystem::path(path) / part).string();
    std::optional<AccessBarrier> barrier = BarrierAt(path, user, kEnter);
    if (barrier.has_value()) return barrier;
  }
  return BarrierAt(whole.string(), user, kRead | kEnter);
}

std::optional<AccessBarrier> BarrierToSocket(const std::string& socket,
                                             const FileUser& user) {
  return BarrierAt(socket, user, kWrite);
}

bool ThisUserMayUse(const std::string& folder, const std::string& socket) {
  if (faccessat(AT_FDCWD, folder.c_str(), R_OK | X_OK, AT_EACCESS) != 0) {
    return false;
  }
  return faccessat(AT_FDCWD, socket.c_str(), W_OK, AT_EACCESS) == 0 ||
         errno == ENOENT;
}

bool IsVolumeOfContainer(const std::string& folder) {
  struct statx info;
  return IsInContainer() &&
         statx(AT_FDCWD, folder.c_str(), 0, STATX_TYPE, &info) == 0 &&
         (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace statecpp
