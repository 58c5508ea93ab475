// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_ADMIN_ADDRESS_H_
#define STATECPP_SERVER_ADMIN_ADDRESS_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace statecpp {

// Where a server is asked to do something other than to keep state: the socket
// <data root>/.admin.sock.
//
// A socket's address has room for 107 bytes of path, and a data root may have
// more. Then the folder is opened, and the address goes through /proc/self/fd,
// which has the same end for both sides. It means what it says while this
// lives.
class AdminAddress {
 public:
  static constexpr const char* kName = "/.admin.sock";

  // Those of error::AdminSystem: the data root cannot be opened.
  static absl::StatusOr<AdminAddress> In(const std::string& data_root);

  AdminAddress(AdminAddress&& other) noexcept
      : address_(other.address_),
        path_(std::move(other.path_)),
        folder_fd_(std::exchange(other.folder_fd_, -1)) {}
  AdminAddress& operator=(AdminAddress&&) = delete;
  ~AdminAddress();

  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }
  static constexpr socklen_t size() { return sizeof(sockaddr_un); }

  // For people.
  const std::string& path() const { return path_; }

 private:
  explicit AdminAddress(std::string path) : path_(std::move(path)) {}

  sockaddr_un address_ = {};
  std::string path_;
  int folder_fd_ = -1;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_ADMIN_ADDRESS_H_
