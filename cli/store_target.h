// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STORE_TARGET_H_
#define STATECPP_CLI_STORE_TARGET_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/component_file.h"

namespace statecpp {

// The flags that say which store a verb is about, as given.
struct StoreTargetFlags {
  std::string data_root = "";
  std::string store = "";
  std::string store_path = "";
  std::string component = "";
  std::string key_folder = "";
};

// Adds --data-root, --store, --store-path, --component and --key-dir to `verb`.
// `flags` outlives it.
void AddStoreTargetFlags(CLI::App* verb, StoreTargetFlags& flags);

// $STATECPP_DATA_ROOT; empty if it is not set.
std::string DataRootOfEnvironment();

// The store that a verb is about.
//
//   absl::StatusOr<StoreTarget> target = FindStore(flags->target);
//   if (!target.ok()) return Fail(target.status());
//   if (target->served) ...  // ask the server: AdminClient
//   Store::Open({.path = target->folder, .create = false, ...})
struct StoreTarget {
  // Holds, or will hold, data.mdb and LOCK.
  std::string folder;
  // Both empty for a store that --store-path names: the folder of the server's
  // data root, and the `dataDir` of the components that use the store.
  std::string data_root = "";
  std::string data_dir = "";
  // A server answers on the data root's admin socket. It may open the store at
  // any moment, or have it open: what changes the store goes through it. If it
  // comes or goes later, the store's own lock still keeps two from opening it.
  bool served = false;
  // What --component names, which then says the `dataDir`, and --key-dir.
  std::optional<ComponentFile> component = std::nullopt;
  std::string key_folder = "";

  // What its user calls it.
  const std::string& name() const {
    return data_dir.empty() ? folder : data_dir;
  }
};

// The store that is there, or that a server has open though its folder is gone.
// Without --store, the only one of the data root.
//
// INVALID_ARGUMENT: the flags name none, contradict each other, or the data
//     root has several stores, which the text lists.
// NOT_FOUND: there is no such data root or store; the text lists those there
//     are.
// UNAVAILABLE, as error::IsUnreachable: a server is there, but cannot be asked.
// Those of error::System: the data root cannot be read.
// Those of ReadComponentFile.
absl::StatusOr<StoreTarget> FindStore(const StoreTargetFlags& flags);

// All stores of the data root, none if it has none. Errors as of FindStore.
absl::StatusOr<std::vector<StoreTarget>> FindStores(
    const StoreTargetFlags& flags);

// Where a store is to be made, or replaced: it need not be there, and has to be
// named. Errors as of FindStore.
absl::StatusOr<StoreTarget> FindPlaceForStore(const StoreTargetFlags& flags);

}  // namespace statecpp

#endif  // STATECPP_CLI_STORE_TARGET_H_
