// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STORE_FLAGS_H_
#define STATECPP_CLI_STORE_FLAGS_H_

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/key_flags.h"
#include "cli/store_session.h"
#include "cli/store_target.h"

namespace statecpp {

// The flags of a verb that works on a store, served or not: which one, and what
// opens it where no server has it.
//
//   AddStoreFlags(verb, flags->store);
//   ...
//   absl::StatusOr<StoreSession> session = BeginSession(flags->store);
//   if (!session.ok()) return Fail(session.status());
struct StoreFlags {
  StoreTargetFlags target;
  KeyFlags keys;
};

// `flags` outlives `verb`.
void AddStoreFlags(CLI::App* verb, StoreFlags& flags);

// Those of FindStore, ChooseStoreKey and StoreSession::Begin.
absl::StatusOr<StoreSession> BeginSession(const StoreFlags& flags);
// The same for a store that was found.
absl::StatusOr<StoreSession> BeginSession(const StoreTarget& target,
                                          const KeyFlags& keys);

}  // namespace statecpp

#endif  // STATECPP_CLI_STORE_FLAGS_H_
