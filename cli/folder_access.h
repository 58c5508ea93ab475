// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_FOLDER_ACCESS_H_
#define STATECPP_CLI_FOLDER_ACCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace statecpp {

// A user as file modes see him.
struct FileUser {
  uid_t uid;
  std::vector<gid_t> groups;
};

// A user with the groups that he has by this machine's lists; one whom they do
// not know, as those of containers, with the group of his number.
FileUser UserByLists(uid_t uid);

// What he is called here; empty if he is not known.
std::string NameOfUser(uid_t uid);
// The same of a group, which is its number if it is not known.
std::string NameOfGroup(gid_t gid);

// What is in a user's way: what he lacks there, and the mode that would give
// it to him.
struct AccessBarrier {
  std::string path;
  mode_t mode;
  uid_t owner;
  gid_t group;
  // Of "rwx", those that are missing.
  mode_t missing;
  // Whose bits of the mode are his, as chmod calls them: u, g, or o.
  char his;

  // Whether he would have what he lacks, were he of the group.
  bool GroupWouldHelp() const;
};

// What keeps a user from entering a folder and listing it; nullopt: nothing
// does. By owner, group and mode of it and of all folders above; what access
// control lists say besides is not looked at. What is not there is in nobody's
// way.
std::optional<AccessBarrier> BarrierToFolder(const std::string& folder,
                                             const FileUser& user);

// What keeps a user from connecting to a socket in a folder that he may enter.
std::optional<AccessBarrier> BarrierToSocket(const std::string& socket,
                                             const FileUser& user);

// Whether this process may enter and list a folder, and connect to the socket
// in it, if that is there: as the kernel says, which knows all of its groups,
// access control lists and privileges.
bool ThisUserMayUse(const std::string& folder, const std::string& socket);

// Whether a folder is a volume of the container that this process is in, whose
// users are the container's alone.
bool IsVolumeOfContainer(const std::string& folder);

}  // namespace statecpp

#endif  // STATECPP_CLI_FOLDER_ACCESS_H_
