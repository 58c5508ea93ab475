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

// Those of FindStore, ChooseKeySource and StoreSession::Begin.
absl::StatusOr<StoreSession> BeginSession(const StoreFlags& flags);

}  // namespace statecpp

#endif  // STATECPP_CLI_STORE_FLAGS_H_
