// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_SOCKET_CHECKS_H_
#define STATECPP_CLI_SOCKET_CHECKS_H_

#include <string>

#include "cli/finding.h"
#include "cli/folder_access.h"
#include "cli/lock_holder.h"
#include "server/component_socket.h"

namespace statecpp {

// What daprd, which starts now, would look for sockets in, and as whom.
struct SocketSurroundings {
  SocketFolder folder;
  // As it was given by flag; else Dapr's images, or this user.
  FileUser daprd = {65532, 65532};
  bool daprd_given = false;
  // Of the data root, where one was named.
  std::string data_root = "";
  LockHolder data_root_lock = {.state = LockHolder::State::kAbsent};
};

// The folder itself: which one it is, whether it is there and a folder, and
// whether it is daprd's.
Findings CheckSocketFolder(const SocketSurroundings& around);

// Whether daprd's user may enter it and connect to our socket.
Findings CheckSocketAccess(const SocketSurroundings& around);

// Our socket: there, answering, and a state store by reflection.
Findings CheckOwnSocket(const SocketSurroundings& around);

// The other sockets there, each of which daprd waits for.
Findings CheckOtherSockets(const SocketSurroundings& around);

}  // namespace statecpp

#endif  // STATECPP_CLI_SOCKET_CHECKS_H_
