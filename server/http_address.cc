// SPDX-License-Identifier: Apache-2.0
#include "server/http_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/errors.h"

namespace statecpp {

absl::StatusOr<HttpAddress> ParseHttpAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos ||
      !absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535) {
    return error::NoHttpAddress(text);
  }
  absl::string_view host = text.substr(0, colon);
  HttpAddress address = {};
  if (absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]")) {
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address.bytes);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<uint16_t>(port));
    address.size = sizeof(*v6);
    if (inet_pton(AF_INET6, std::string(host).c_str(), &v6->sin6_addr) == 1) {
      return address;
    }
    return error::NoHttpAddress(text);
  }
  if (host == "localhost") host = "127.0.0.1";
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address.bytes);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(static_cast<uint16_t>(port));
  address.size = sizeof(*v4);
  if (inet_pton(AF_INET, std::string(host).c_str(), &v4->sin_addr) != 1) {
    return error::NoHttpAddress(text);
  }
  return address;
}

std::string HttpAddressText(const HttpAddress& address) {
  char host[INET6_ADDRSTRLEN] = "";
  if (address.bytes.ss_family == AF_INET6) {
    const auto* const v6 =
        reinterpret_cast<const sockaddr_in6*>(&address.bytes);
    inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
    return absl::StrCat("[", host, "]:", ntohs(v6->sin6_port));
  }
  const auto* const v4 = reinterpret_cast<const sockaddr_in*>(&address.bytes);
  inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
  return absl::StrCat(host, ":", ntohs(v4->sin_port));
}

}  // namespace statecpp
