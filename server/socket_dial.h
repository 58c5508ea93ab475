// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_SOCKET_DIAL_H_
#define STATECPP_SERVER_SOCKET_DIAL_H_

#include <sys/un.h>

#include "absl/strings/string_view.h"

namespace statecpp {

// The address of the socket at `path`, which has to be shorter than `sun_path`.
sockaddr_un SocketAddressOf(absl::string_view path);

// Connects to the socket at `path`, at once or not at all:
//
//   const int fd = DialSocket(path);
//   if (fd < 0) return strerror(-fd);
//
// Returns a descriptor that does not block and is the caller's, or the negative
// error: ECONNREFUSED if nobody listens, EAGAIN if somebody does and has not
// accepted those who came before, ENAMETOOLONG, or another of connect().
int DialSocket(absl::string_view path);

}  // namespace statecpp

#endif  // STATECPP_SERVER_SOCKET_DIAL_H_
