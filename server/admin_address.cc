// SPDX-License-Identifier: Apache-2.0
#include "server/admin_address.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "server/errors.h"

namespace statecpp {
namespace {

// The terminating zero needs a byte, too.
constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;

}  // namespace

absl::StatusOr<AdminAddress> AdminAddress::In(const std::string& data_root) {
  AdminAddress address(data_root + kName);
  std::string path = address.path_;
  if (path.size() > kMaxPath) {
    address.folder_fd_ =
        open(data_root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (address.folder_fd_ < 0) {
      return error::AdminSystem("open the folder", data_root, errno);
    }
    path = absl::StrCat("/proc/self/fd/", address.folder_fd_, kName);
  }
  address.address_.sun_family = AF_UNIX;
  memcpy(address.address_.sun_path, path.data(), path.size());
  return address;
}

AdminAddress::~AdminAddress() {
  if (folder_fd_ >= 0) close(folder_fd_);
}

}  // namespace statecpp
