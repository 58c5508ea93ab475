// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_SOCKET_OWNER_H_
#define STATECPP_CLI_SOCKET_OWNER_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace statecpp {

// Whose a file is, and its mode.
struct FileOwner {
  uid_t uid;
  mode_t mode;
};

// That of a file, or of the link itself; nullopt where there is none.
std::optional<FileOwner> OwnerOf(const std::string& path);

// Where every local user may put files, as in /tmp, a server there may be
// anybody's, who would then be told what apps keep. `trusted` are the users
// whose it may be.
//
// Whether anybody may have made the folder, and one who is not trusted has.
bool IsStrangersFolder(const FileOwner& folder, const FileOwner& parent,
                       const std::vector<uid_t>& trusted);

// Whether anybody may have put the socket into the folder, and one who is not
// trusted has, or listens on it.
bool IsStrangersSocket(uid_t socket, uid_t listener, const FileOwner& folder,
                       const std::vector<uid_t>& trusted);

// Whether a folder and the socket in it, which nobody has named, can be named
// to somebody: both are of users who are trusted, and no other can come
// between.
bool IsWorthNaming(const std::string& folder, const std::string& socket,
                   const std::vector<uid_t>& trusted);

}  // namespace statecpp

#endif  // STATECPP_CLI_SOCKET_OWNER_H_
