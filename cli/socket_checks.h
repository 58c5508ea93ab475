// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_SOCKET_CHECKS_H_
#define STATECPP_CLI_SOCKET_CHECKS_H_

#include "cli/finding.h"
#include "cli/socket_surroundings.h"

namespace statecpp {

// Our socket: there, answering, and a state store by reflection.
Findings CheckOwnSocket(const SocketSurroundings& around);

// The other sockets of the folder, each of which daprd waits for.
Findings CheckOtherSockets(const SocketSurroundings& around);

}  // namespace statecpp

#endif  // STATECPP_CLI_SOCKET_CHECKS_H_
