// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_SOCKET_SURROUNDINGS_H_
#define STATECPP_CLI_SOCKET_SURROUNDINGS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/folder_access.h"
#include "cli/lock_holder.h"
#include "server/component_socket.h"

namespace statecpp {

// The name of our socket there, and what daprd makes of it.
inline constexpr absl::string_view kOurSocket = "cpp.sock";
inline constexpr absl::string_view kOurName = "cpp";

// What daprd, which starts now, would look for sockets in, and as whom.
struct SocketSurroundings {
  SocketFolder folder;
  // As it was given by flag; else Dapr's images, or this user.
  FileUser daprd = {65532, {65532}};
  bool daprd_given = false;
  // Of the data root, where one was named.
  std::string data_root = "";
  LockHolder data_root_lock = {.state = LockHolder::State::kAbsent};

  // The folder as a whole path.
  std::string FolderPath() const;
  // Whose a server of daprd's components may be: root, this user, the data
  // root's owner, and daprd's user himself.
  std::vector<uid_t> TrustedUsers() const;
  // The command that starts a server there.
  std::string ServeFix() const;
};

// A path from the root, without a slash at its end.
std::string WholePath(const std::string& path);

// The commands that have daprd look in a folder, and that remove a file.
std::string ExportFix(const std::string& folder);
std::string RemoveFix(const std::string& path);

}  // namespace statecpp

#endif  // STATECPP_CLI_SOCKET_SURROUNDINGS_H_
