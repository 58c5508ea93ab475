// SPDX-License-Identifier: Apache-2.0
#include "cli/folder_access.h"

#include <sys/stat.h>

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
  const int shift = info.st_uid == user.uid   ? 6
                    : info.st_gid == user.gid ? 3
                                              : 0;
  const mode_t given = (info.st_mode >> shift) & 7;
  const mode_t missing = wanted & ~given;
  if (missing == 0) return std::nullopt;
  return AccessBarrier{.path = path,
                       .mode = info.st_mode & 07777,
                       .owner = info.st_uid,
                       .group = info.st_gid,
                       .missing = missing};
}

}  // namespace

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

}  // namespace statecpp
