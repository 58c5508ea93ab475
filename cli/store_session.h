// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STORE_SESSION_H_
#define STATECPP_CLI_STORE_SESSION_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/admin_message.h"
#include "cli/store_target.h"
#include "crypto/key_source.h"
#include "engine/store.h"
#include "server/admin_listener.h"

namespace statecpp {

// Has requests about one store carried out: by the server that has the store
// or, where none runs, in this process, which then has it open.
//
//   absl::StatusOr<StoreSession> session =
//       StoreSession::Begin(*target, key_source);
//   if (!session.ok()) return Fail(session.status());
//   absl::Status removed =
//       session->Ask(AdminRequest::RemoveKey{"old"}, listener);
//
// Thread-compatible.
class StoreSession {
 public:
  // Opens the store, which must be there, unless a server is asked, and then
  // needs no key. `source` may be null: the store is plain, or its key missing.
  //
  // Those of Store::Open and of the source.
  static absl::StatusOr<StoreSession> Begin(
      const StoreTarget& target, std::shared_ptr<const KeySource> source);

  // Those of AskServer and AnswerAboutStore.
  absl::Status Ask(const AdminRequest::Verb& verb, AdminListener& listener);

 private:
  StoreSession(StoreTarget target, std::shared_ptr<const KeySource> source,
               std::unique_ptr<Store> store)
      : target_(std::move(target)),
        source_(std::move(source)),
        store_(std::move(store)) {}

  absl::StatusOr<MasterKeys> LoadKeys() const;

  const StoreTarget target_;
  const std::shared_ptr<const KeySource> source_;
  std::unique_ptr<Store> store_;  // null: a server has it
};

}  // namespace statecpp

#endif  // STATECPP_CLI_STORE_SESSION_H_
