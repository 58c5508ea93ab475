// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_ADMIN_LISTENER_H_
#define STATECPP_SERVER_ADMIN_LISTENER_H_

#include "absl/time/time.h"
#include "api/admin_message.h"

namespace statecpp {

// Whoever asked for something that is answered bit by bit: a connection, or the
// verb of a program that does the work itself.
class AdminListener {
 public:
  virtual ~AdminListener() = default;

  // False: it has left, and nobody will hear what comes.
  virtual bool Tell(const AdminReply& reply) = 0;

  // Waits for `duration`, or until it leaves; true if it has left.
  virtual bool LeavesWithin(absl::Duration duration) = 0;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_ADMIN_LISTENER_H_
