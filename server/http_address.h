// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_HTTP_ADDRESS_H_
#define STATECPP_SERVER_HTTP_ADDRESS_H_

#include <sys/socket.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace statecpp {

// Where a TCP port is, as the system wants it.
struct HttpAddress {
  sockaddr_storage bytes;
  socklen_t size;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
};

// Reads "127.0.0.1:9464", "[::1]:9464" or "localhost:9464". Names are not
// looked up: who answers for one is not for the network to say.
//
// INVALID_ARGUMENT: it is none of them.
absl::StatusOr<HttpAddress> ParseHttpAddress(absl::string_view text);

// As ParseHttpAddress reads it.
std::string HttpAddressText(const HttpAddress& address);

}  // namespace statecpp

#endif  // STATECPP_SERVER_HTTP_ADDRESS_H_
