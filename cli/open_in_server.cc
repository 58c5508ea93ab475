// SPDX-License-Identifier: Apache-2.0
#include "cli/open_in_server.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/admin_message.h"
#include "cli/kept_replies.h"
#include "server/admin_client.h"
#include "server/errors.h"

namespace statecpp {
namespace {

// Of a server that only has to list what it holds.
constexpr absl::Duration kPatience = absl::Seconds(5);

}  // namespace

absl::StatusOr<bool> IsOpenInServer(const std::string& data_root,
                                    absl::string_view data_dir) {
  RepliesInTime<AdminStore> listener(kPatience);
  const absl::Status answered =
      AskServer(data_root, {.verb = AdminRequest::ListStores{}}, listener);
  if (absl::IsCancelled(answered) && listener.IsLate()) {
    return error::ServerIsMute(data_root, kPatience);
  }
  if (!answered.ok()) return answered;
  return std::any_of(listener.replies().begin(), listener.replies().end(),
                     [data_dir](const AdminStore& store) {
                       return store.open && store.data_dir == data_dir;
                     });
}

}  // namespace statecpp
