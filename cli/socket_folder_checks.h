// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_SOCKET_FOLDER_CHECKS_H_
#define STATECPP_CLI_SOCKET_FOLDER_CHECKS_H_

#include "cli/finding.h"
#include "cli/socket_surroundings.h"

namespace statecpp {

// The folder of sockets: which one it is, whether it is there and a folder, and
// whether it is daprd's.
Findings CheckSocketFolder(const SocketSurroundings& around);

// Whether daprd's user may enter it and connect to our socket.
Findings CheckSocketAccess(const SocketSurroundings& around);

}  // namespace statecpp

#endif  // STATECPP_CLI_SOCKET_FOLDER_CHECKS_H_
