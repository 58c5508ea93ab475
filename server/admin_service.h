// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_ADMIN_SERVICE_H_
#define STATECPP_SERVER_ADMIN_SERVICE_H_

#include "absl/status/status.h"
#include "api/admin_message.h"
#include "server/admin_listener.h"
#include "server/data_root.h"
#include "server/instances.h"
#include "server/last_successes.h"

namespace statecpp {

// What a server does when it is asked on its admin socket. What is about one
// store is done to it where it is open, or is opened for it
// (Instances::StoreForAdmin), and the rest is store_admin.h.
//
// Each change of keys and each backup is a line in the log, and each change of
// items, without what they are. Thread-safe.
class AdminService {
 public:
  // Both outlive this.
  AdminService(const DataRoot& root, Instances& instances)
      : root_(root), instances_(instances) {}

  // Those of Instances::StoreForAdmin and AnswerAboutStore.
  absl::Status Answer(const AdminRequest& request, AdminListener& listener);

  const LastSuccesses& successes() const { return successes_; }

 private:
  absl::Status BackUp(const Instances::ForAdmin& store,
                      const AdminRequest& request, AdminListener& listener);
  absl::Status Verify(const Instances::ForAdmin& store,
                      const AdminRequest& request, AdminListener& listener);
  absl::Status ListStores(AdminListener& listener) const;

  const DataRoot& root_;
  Instances& instances_;
  LastSuccesses successes_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_ADMIN_SERVICE_H_
