// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_CLOSED_STORE_H_
#define STATECPP_ENGINE_CLOSED_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/keyring.h"
#include "crypto/master_key.h"
#include "crypto/secret.h"
#include "engine/accumulator.h"
#include "engine/lmdb_environment.h"
#include "engine/record.h"
#include "engine/store_header.h"

namespace statecpp {

// A store that nobody has open, read as it stands: one snapshot, from which
// nothing is served and to which nothing is written, not even that it was
// opened. All views into it live as long as this.
//
// Thread-compatible.
class ClosedStore {
 public:
  using Table = LmdbEnvironment::Table;

  // The caller holds the folder's lock. `keys` open it if it is sealed, and are
  // not asked for if it is plain. `on_assertion` may be null.
  //
  // PERMISSION_DENIED: sealed, and no key was given or none opens it.
  // DATA_LOSS: file, header or accumulator is damaged.
  static absl::StatusOr<std::unique_ptr<ClosedStore>> Open(
      const std::string& folder, const MasterKeys* keys,
      void (*on_assertion)(const char* text));

  // The same of one that is being made, by its root key, and by the accumulator
  // that it will have. DATA_LOSS also where the key is not this store's.
  static absl::StatusOr<std::unique_ptr<ClosedStore>> OpenUnfinished(
      const std::string& folder, const Secret& root,
      absl::string_view accumulator, void (*on_assertion)(const char* text));

  const StoreHeader& header() const { return header_; }
  const Keyring& keyring() const { return *keyring_; }
  const Accumulator& accumulator() const { return accumulator_; }
  // Of the pages that hold something.
  uint64_t live_bytes() const { return live_bytes_; }

  // Every entry of a table in order of its keys, until `visit` fails.
  using Visit = absl::FunctionRef<absl::Status(absl::string_view key,
                                               absl::string_view value)>;
  absl::Status Scan(Table table, Visit visit) const;

  // Opens a record of this store to its last byte and shows what it says.
  //
  // DATA_LOSS: it is damaged, or stands at a place that is not its key's.
  absl::Status WithRecord(
      absl::string_view place, absl::string_view record,
      absl::FunctionRef<absl::Status(const RecordContent& content)> visit)
      const;

 private:
  using Unlock =
      absl::FunctionRef<absl::StatusOr<OpenedHeader>(absl::string_view header)>;
  static absl::StatusOr<std::unique_ptr<ClosedStore>> OpenWith(
      const std::string& folder, void (*on_assertion)(const char* text),
      Unlock unlock, std::optional<absl::string_view> accumulator);

  ClosedStore(std::unique_ptr<LmdbEnvironment> environment,
              LmdbEnvironment::ReadTransaction snapshot, OpenedHeader header,
              Accumulator accumulator, uint64_t live_bytes)
      : environment_(std::move(environment)),
        snapshot_(std::move(snapshot)),
        header_(std::move(header.header)),
        keyring_(std::move(header.keyring)),
        accumulator_(std::move(accumulator)),
        live_bytes_(live_bytes) {}

  const std::unique_ptr<LmdbEnvironment> environment_;
  const LmdbEnvironment::ReadTransaction snapshot_;
  const StoreHeader header_;
  const std::shared_ptr<const Keyring> keyring_;
  const Accumulator accumulator_;
  const uint64_t live_bytes_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_CLOSED_STORE_H_
