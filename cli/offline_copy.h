// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_OFFLINE_COPY_H_
#define STATECPP_CLI_OFFLINE_COPY_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/exit_code.h"
#include "cli/key_flags.h"
#include "cli/store_target.h"
#include "crypto/key_source.h"
#include "engine/store_copy.h"
#include "server/data_root.h"

namespace statecpp {

// The flags of a verb that replaces a store by a copy, as given.
struct OfflineCopyFlags {
  StoreTargetFlags target;
  KeyFlags keys;
  bool quiet = false;
  bool json = false;
};

// Adds them to `verb`. `flags` outlives it.
void AddOfflineCopyFlags(CLI::App* verb, OfflineCopyFlags& flags);

// A store that nobody serves, while a verb copies it:
//
//   absl::StatusOr<OfflineCopy> copy = OfflineCopy::Begin(*flags);
//   if (!copy.ok()) return FailOffline(copy.status());
//   absl::StatusOr<CopyReport> report = copy->Run(&CompactStore);
//
// No server starts on the store's data root meanwhile. The verb is added with
// Signals::kBlocked: SIGINT and SIGTERM stop the copy in order.
class OfflineCopy {
 public:
  // Those of FindStore, of the key source, and of DataRoot::Open: UNAVAILABLE
  // if a server runs.
  static absl::StatusOr<OfflineCopy> Begin(const OfflineCopyFlags& flags);

  const StoreTarget& target() const { return target_; }
  // Null for a store that is in no data root.
  const DataRoot* root() const { return root_.has_value() ? &*root_ : nullptr; }
  // Null where no flag names a key.
  const KeySource* source() const { return source_.get(); }

  // Runs CompactStore or EncryptStore, and shows how far it is.
  absl::StatusOr<CopyReport> Run(
      const std::function<absl::StatusOr<CopyReport>(const CopyOptions&)>& copy)
      const;

 private:
  OfflineCopy(StoreTarget target, std::optional<DataRoot> root,
              std::shared_ptr<const KeySource> source,
              std::shared_ptr<const MasterKeys> keys, bool quiet)
      : target_(std::move(target)),
        root_(std::move(root)),
        source_(std::move(source)),
        keys_(std::move(keys)),
        quiet_(quiet) {}

  StoreTarget target_;
  std::optional<DataRoot> root_;
  std::shared_ptr<const KeySource> source_;
  std::shared_ptr<const MasterKeys> keys_;
  bool quiet_;
};

// As Fail; where somebody has the store, also says which steps to take.
ExitCode FailOffline(const absl::Status& status);

// "1000 records, 12.5 MiB before, 8.0 MiB now"
std::string DescribeCopy(const CopyReport& report);
// The same as members of an object of JSON, with the store's name in front.
std::string CopyMembers(const StoreTarget& target, const CopyReport& report);

}  // namespace statecpp

#endif  // STATECPP_CLI_OFFLINE_COPY_H_
