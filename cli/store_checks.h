// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STORE_CHECKS_H_
#define STATECPP_CLI_STORE_CHECKS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/component_file.h"
#include "cli/finding.h"
#include "cli/key_flags.h"
#include "crypto/key_source.h"
#include "engine/store_stats.h"

namespace statecpp {

// Whose stores are looked at, and by what they may be opened.
struct StoresAsked {
  std::string data_root;
  // A server answers there. It is asked then, and no store is opened.
  bool served = false;
  // Those of type state.cpp that daprd would configure.
  std::vector<ComponentFile> components = {};
  // For components that name a key of their own.
  KeyFlags keys = {};
  std::string key_folder = "";
  // What `keys` or the environment names, chosen once and before the first
  // thread, for it may wipe a variable; null: nothing names any. An error is
  // one of each store that needs it.
  absl::StatusOr<std::shared_ptr<const KeySource>> key = nullptr;
};

struct StoresChecked {
  Findings findings;
  // What all stores together may still take of the disk.
  uint64_t still_wanted = 0;
};

// Each store of the data root, and each that a component would make. Where no
// server runs, a store's header is read, and with a key whether that opens it.
// Nothing in the data root changes.
StoresChecked CheckStores(const StoresAsked& asked);

// What the figures of a store say of it.
Findings CheckFigures(const std::string& store, const StoreStats& stats);

}  // namespace statecpp

#endif  // STATECPP_CLI_STORE_CHECKS_H_
