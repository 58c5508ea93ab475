// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_KEPT_REPLIES_H_
#define STATECPP_CLI_KEPT_REPLIES_H_

#include <variant>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/admin_message.h"
#include "cli/end_signals.h"
#include "server/admin_listener.h"

namespace statecpp {

// Keeps the answers of one kind. Signals end the process, as is usual.
//
//   KeptReplies<AdminDataKey> keys;
//   absl::Status retired = session.Ask(AdminRequest::RetireDataKeys{}, keys);
//   for (const AdminDataKey& key : keys.replies) ...
template <typename Reply>
class KeptReplies final : public AdminListener {
 public:
  bool Tell(const AdminReply& reply) override {
    if (const Reply* kept = std::get_if<Reply>(&reply)) {
      replies.push_back(*kept);
    }
    return true;
  }
  bool LeavesWithin(absl::Duration duration) override {
    absl::SleepFor(duration);
    return false;
  }

  std::vector<Reply> replies;
};

// The same, but leaves where the server takes longer than `patience`, and, in a
// verb that blocks signals, when one came: for who asks in order to see whether
// it answers.
template <typename Reply>
class RepliesInTime final : public AdminListener {
 public:
  explicit RepliesInTime(absl::Duration patience)
      : deadline_(absl::Now() + patience) {}

  // One that goes on telling takes its time as well.
  bool Tell(const AdminReply& reply) override {
    return kept_.Tell(reply) && !Leaves();
  }
  bool LeavesWithin(absl::Duration duration) override {
    absl::SleepFor(duration);
    return Leaves();
  }

  bool IsLate() const { return absl::Now() > deadline_; }

  const std::vector<Reply>& replies() const { return kept_.replies; }

 private:
  bool Leaves() const { return IsLate() || EndWasAsked(); }

  KeptReplies<Reply> kept_;
  const absl::Time deadline_;
};

}  // namespace statecpp

#endif  // STATECPP_CLI_KEPT_REPLIES_H_
