// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_FOLDER_ACCESS_H_
#define STATECPP_CLI_FOLDER_ACCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>

namespace statecpp {

// A user as file modes see him.
struct FileUser {
  uid_t uid;
  gid_t gid;
};

// What is in a user's way: what he lacks there, and the mode that would give
// it to him.
struct AccessBarrier {
  std::string path;
  mode_t mode;
  uid_t owner;
  gid_t group;
  // Of "rwx", those that are missing.
  mode_t missing;
};

// What keeps a user, who is not in other groups, from entering a folder and
// listing it; nullopt: nothing does. By owner, group and mode of it and of all
// folders above; what access control lists say besides is not looked at. What
// is not there is in nobody's way.
std::optional<AccessBarrier> BarrierToFolder(const std::string& folder,
                                             const FileUser& user);

// What keeps a user from connecting to a socket in a folder that he may enter.
std::optional<AccessBarrier> BarrierToSocket(const std::string& socket,
                                             const FileUser& user);

}  // namespace statecpp

#endif  // STATECPP_CLI_FOLDER_ACCESS_H_
