// SPDX-License-Identifier: Apache-2.0
#include "server/socket_dial.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace statecpp {

sockaddr_un SocketAddressOf(absl::string_view path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int DialSocket(absl::string_view path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return -ENAMETOOLONG;
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  const sockaddr_un address = SocketAddressOf(path);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0) {
    return fd;
  }
  const int error = errno;
  close(fd);
  return -error;
}

}  // namespace statecpp
