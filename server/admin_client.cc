// SPDX-License-Identifier: Apache-2.0
#include "server/admin_client.h"

#include <optional>
#include <variant>

#include "absl/time/time.h"
#include "server/admin_connection.h"
#include "server/errors.h"

namespace statecpp {
namespace {

// Of one message, once it is on its way.
constexpr absl::Duration kMessageTimeout = absl::Seconds(5);
// Between two looks whether the listener has left.
constexpr absl::Duration kLookInterval = absl::Milliseconds(50);

}  // namespace

absl::Status AskServer(const std::string& data_root,
                       const AdminRequest& request, AdminListener& listener) {
  absl::StatusOr<std::optional<AdminConnection>> server =
      AdminConnection::To(data_root);
  if (!server.ok()) return server.status();
  if (!server->has_value()) return error::NoServer(data_root);
  AdminConnection& connection = **server;
  // A server that is busy says so and hangs up before it has read anything.
  const absl::Status sent =
      connection.Send(AdminRequestToProto(request), kMessageTimeout);
  if (!sent.ok() && !absl::IsUnavailable(sent)) return sent;
  for (;;) {
    while (!connection.HasInputWithin(kLookInterval)) {
      if (listener.LeavesWithin(absl::ZeroDuration())) {
        return error::AdminLeft();
      }
    }
    const absl::StatusOr<std::string> bytes =
        connection.Receive(kMessageTimeout);
    if (!bytes.ok()) return bytes.status();
    const absl::StatusOr<AdminReply> reply = AdminReplyFromProto(*bytes);
    if (!reply.ok()) return reply.status();
    if (const AdminEnd* end = std::get_if<AdminEnd>(&*reply)) {
      return end->status;
    }
    if (!listener.Tell(*reply)) return error::AdminLeft();
  }
}

}  // namespace statecpp
