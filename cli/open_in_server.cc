// SPDX-License-Identifier: Apache-2.0
#include "cli/open_in_server.h"

#include <algorithm>

#include "api/admin_message.h"
#include "cli/kept_replies.h"
#include "server/admin_client.h"

namespace statecpp {

absl::StatusOr<bool> IsOpenInServer(const std::string& data_root,
                                    absl::string_view data_dir) {
  KeptReplies<AdminStore> stores;
  const absl::Status answered = AskServer(
      data_root, {.data_dir = "", .verb = AdminRequest::ListStores{}}, stores);
  if (!answered.ok()) return answered;
  return std::any_of(stores.replies.begin(), stores.replies.end(),
                     [data_dir](const AdminStore& store) {
                       return store.open && store.data_dir == data_dir;
                     });
}

}  // namespace statecpp
