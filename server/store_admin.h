// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_STORE_ADMIN_H_
#define STATECPP_SERVER_STORE_ADMIN_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/admin_message.h"
#include "crypto/master_key.h"
#include "engine/store.h"
#include "server/admin_listener.h"

namespace statecpp {

// Does what a request asks of one open store, and tells the listener what came
// of it. The same in a server and in a program that opened the store because no
// server runs, so that both do the same and say the same.
//
// `load_keys` reads the keys that the store's owner opens it with from now on,
// as they are now; RemoveKey asks for them.
//
// CANCELLED: the listener left. A rotation that it watched goes on.
// INVALID_ARGUMENT: the request is not about a store, or the name of a key is
//     none.
// Those of StoreKeys, of the key's file, and of `load_keys`.
using LoadKeys = absl::FunctionRef<absl::StatusOr<MasterKeys>()>;
absl::Status AnswerAboutStore(const AdminRequest::Verb& verb, Store& store,
                              LoadKeys load_keys, AdminListener& listener);

}  // namespace statecpp

#endif  // STATECPP_SERVER_STORE_ADMIN_H_
