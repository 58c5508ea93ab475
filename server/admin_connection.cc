// SPDX-License-Identifier: Apache-2.0
#include "server/admin_connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "absl/time/clock.h"
#include "server/admin_address.h"
#include "server/errors.h"

namespace statecpp {
namespace {

constexpr size_t kSizeBytes = 4;
constexpr absl::Duration kConnectTimeout = absl::Seconds(5);

std::string FrameHead(size_t size) {
  std::string head;
  for (size_t i = 0; i < kSizeBytes; ++i) {
    head += static_cast<char>(size >> (8 * i) & 0xFF);
  }
  return head;
}

uint32_t SizeIn(const std::string& head) {
  uint32_t size = 0;
  for (size_t i = 0; i < kSizeBytes; ++i) {
    size |= uint32_t{static_cast<uint8_t>(head[i])} << (8 * i);
  }
  return size;
}

// False at the deadline. An error of the socket is for the next call to find.
bool Await(int fd, short events, absl::Time deadline) {
  for (;;) {
    const absl::Duration left = std::clamp(
        deadline - absl::Now(), absl::ZeroDuration(), absl::Hours(1));
    pollfd poll_fd = {.fd = fd, .events = events, .revents = 0};
    // Rounded up: or the last millisecond would be spent in a loop.
    const int ready = poll(&poll_fd, 1,
                           static_cast<int>(absl::ToInt64Milliseconds(
                               left + absl::Milliseconds(1))));
    if (ready > 0) return true;
    if (ready == 0 && absl::Now() >= deadline) return false;
  }
}

absl::Status SendAll(int fd, absl::string_view bytes, absl::Time deadline) {
  while (!bytes.empty()) {
    const ssize_t sent =
        send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!Await(fd, POLLOUT, deadline)) return error::AdminPeerSlow();
    } else if (errno != EINTR) {
      return error::AdminPeerGone();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReceiveAll(int fd, size_t size,
                                       absl::Time deadline) {
  std::string bytes(size, '\0');
  for (size_t have = 0; have < size;) {
    const ssize_t received =
        recv(fd, bytes.data() + have, size - have, MSG_DONTWAIT);
    if (received > 0) {
      have += static_cast<size_t>(received);
    } else if (received < 0 && errno == EAGAIN) {
      if (!Await(fd, POLLIN, deadline)) return error::AdminPeerSlow();
    } else if (received == 0 || errno != EINTR) {
      return error::AdminPeerGone();
    }
  }
  return bytes;
}

}  // namespace

AdminConnection::~AdminConnection() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<std::optional<AdminConnection>> AdminConnection::To(
    const std::string& data_root) {
  const absl::StatusOr<AdminAddress> address = AdminAddress::In(data_root);
  if (absl::IsNotFound(address.status())) return std::nullopt;
  if (!address.ok()) return address.status();
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return error::AdminUnreachable(address->path(), errno);
  AdminConnection connection(fd);
  // Blocks while the server's backlog is full: it answers or refuses whoever
  // is in it at once, if it is alive.
  const timeval patience = absl::ToTimeval(kConnectTimeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (connect(fd, address->get(), AdminAddress::size()) == 0) return connection;
  if (errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED) {
    return std::nullopt;
  }
  return error::AdminUnreachable(address->path(), errno);
}

absl::Status AdminConnection::Send(absl::string_view message,
                                   absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  if (absl::Status sent = SendAll(fd_, FrameHead(message.size()), deadline);
      !sent.ok()) {
    return sent;
  }
  return SendAll(fd_, message, deadline);
}

absl::StatusOr<std::string> AdminConnection::Receive(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  const absl::StatusOr<std::string> head =
      ReceiveAll(fd_, kSizeBytes, deadline);
  if (!head.ok()) return head;
  const uint32_t size = SizeIn(*head);
  if (size > kMaxAdminMessage) {
    return error::AdminMessageTooLarge(size, kMaxAdminMessage);
  }
  return ReceiveAll(fd_, size, deadline);
}

bool AdminConnection::HasInputWithin(absl::Duration duration) {
  return Await(fd_, POLLIN | POLLRDHUP, absl::Now() + duration);
}

void AdminConnection::Shutdown() { shutdown(fd_, SHUT_RDWR); }

}  // namespace statecpp
