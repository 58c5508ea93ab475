// SPDX-License-Identifier: Apache-2.0
#include "cli/open_in_server.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/admin_message.h"
#include "cli/end_signals.h"
#include "cli/kept_replies.h"
#include "server/admin_client.h"
#include "server/admin_listener.h"
#include "server/errors.h"

namespace statecpp {
namespace {

// Of a server that only has to list what it holds.
constexpr absl::Duration kPatience = absl::Seconds(5);

// Leaves in time, and when the program is asked to end.
class StoresInTime final : public AdminListener {
 public:
  bool Tell(const AdminReply& reply) override {
    return kept_.Tell(reply) && !Leaves();
  }
  bool LeavesWithin(absl::Duration duration) override {
    absl::SleepFor(duration);
    return Leaves();
  }

  bool IsLate() const { return absl::Now() > deadline_; }
  const std::vector<AdminStore>& stores() const { return kept_.replies; }

 private:
  bool Leaves() const { return IsLate() || EndWasAsked(); }

  KeptReplies<AdminStore> kept_;
  const absl::Time deadline_ = absl::Now() + kPatience;
};

}  // namespace

absl::StatusOr<bool> IsOpenInServer(const std::string& data_root,
                                    absl::string_view data_dir) {
  StoresInTime listener;
  const absl::Status answered =
      AskServer(data_root, {.verb = AdminRequest::ListStores{}}, listener);
  if (absl::IsCancelled(answered) && listener.IsLate()) {
    return error::ServerIsMute(data_root, kPatience);
  }
  if (!answered.ok()) return answered;
  return std::any_of(listener.stores().begin(), listener.stores().end(),
                     [data_dir](const AdminStore& store) {
                       return store.open && store.data_dir == data_dir;
                     });
}

}  // namespace statecpp
