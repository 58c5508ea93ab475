// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_ADMIN_CLIENT_H_
#define STATECPP_SERVER_ADMIN_CLIENT_H_

#include <string>

#include "absl/status/status.h"
#include "api/admin_message.h"
#include "server/admin_listener.h"

namespace statecpp {

// Asks the server of a data root, tells the listener its answers as they come,
// and returns what the last one says. Waits for as long as the server takes.
//
// UNAVAILABLE, as error::IsUnreachable: no server is there, or it left without
//     a last answer; then what was asked for may have been done or not.
// CANCELLED: the listener left. What was asked for may be done all the same.
// Those that the server answers with.
absl::Status AskServer(const std::string& data_root,
                       const AdminRequest& request, AdminListener& listener);

}  // namespace statecpp

#endif  // STATECPP_SERVER_ADMIN_CLIENT_H_
