// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_SOCKET_ELSEWHERE_H_
#define STATECPP_CLI_SOCKET_ELSEWHERE_H_

#include <string>
#include <vector>

#include "cli/socket_surroundings.h"

namespace statecpp {

// Where the server may be that was meant to have its socket in daprd's folder.
struct ServersElsewhere {
  // Folders with a socket of ours whose owner is trusted, which alone are
  // offered.
  std::vector<std::string> folders = {};
  // How many there are of others.
  int strangers = 0;
};

// From the kernel's list of those that listen here, and where the data root's
// server is. If that is among them, it is the one; if nobody serves the data
// root, none is.
ServersElsewhere FindServersElsewhere(const SocketSurroundings& around);

// What is to be said of them after "there is no such socket"; empty, or it
// begins with "; ".
std::string ElsewhereText(const SocketSurroundings& around,
                          const ServersElsewhere& servers);

// Has daprd look there; starts a server where none runs.
std::string ElsewhereFix(const SocketSurroundings& around,
                         const ServersElsewhere& servers);

}  // namespace statecpp

#endif  // STATECPP_CLI_SOCKET_ELSEWHERE_H_
