// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_ADMIN_CONNECTION_H_
#define STATECPP_SERVER_ADMIN_CONNECTION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace statecpp {

// Either end of a connection on the admin socket: messages of bytes, each with
// its length in front.
//
//   frame := size(u32, little endian) bytes[size], size <= kMaxAdminMessage
//
// Not gRPC, whose framing this is otherwise: a second gRPC server in the
// process, or a second completion queue, would share the one event engine and
// with it the epoll set that the component's loop waits on, and be a second
// poller there. That costs the component 1.4 to 1.8 times its time per call
// (docs/impl.md), for a handful of requests in a store's life. A connection
// here blocks a thread of its own instead.
//
// A message has room for the largest item that there may be (kMaxValueSize).
//
// Thread-compatible; but Shutdown may be called from another thread.
inline constexpr size_t kMaxAdminMessage = size_t{5} << 20;

class AdminConnection {
 public:
  // Takes the connected socket over.
  explicit AdminConnection(int fd) : fd_(fd) {}
  AdminConnection(AdminConnection&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)) {}
  AdminConnection& operator=(AdminConnection&&) = delete;
  ~AdminConnection();

  // The server of that data root; nullopt if there is none: no socket, or one
  // that a killed server left behind.
  //
  // UNAVAILABLE, as error::IsUnreachable: the socket may not be used, as when
  //     it is another user's.
  static absl::StatusOr<std::optional<AdminConnection>> To(
      const std::string& data_root);

  // Sends one message. `timeout` is for the message as a whole, so that a peer
  // that takes a byte now and then is no better than one that takes none.
  //
  // UNAVAILABLE, as error::IsUnreachable: the peer is gone.
  // DEADLINE_EXCEEDED, as error::IsUnreachable: it did not take it in time.
  absl::Status Send(absl::string_view message, absl::Duration timeout);

  // Waits for the peer's next message, and for all of it.
  //
  // UNAVAILABLE, as error::IsUnreachable: the peer is gone.
  // DEADLINE_EXCEEDED, as error::IsUnreachable: it was not there in time.
  // INVALID_ARGUMENT: it is longer than a message may be.
  absl::StatusOr<std::string> Receive(absl::Duration timeout);

  // Waits for `duration`, or until Receive has something to read or to say of
  // the peer, which may have left.
  bool HasInputWithin(absl::Duration duration);

  // Has this and the other end find that the peer is gone.
  void Shutdown();

 private:
  int fd_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_ADMIN_CONNECTION_H_
