// SPDX-License-Identifier: Apache-2.0
#include "engine/store_meta.h"

#include <memory>
#include <optional>

#include "engine/lmdb_environment.h"
#include "engine/meta_table.h"

namespace statecpp {
namespace {

absl::StatusOr<std::string> ReadEntry(const LmdbReader& txn,
                                      absl::string_view key) {
  const absl::StatusOr<std::optional<absl::string_view>> entry =
      txn.Get(LmdbEnvironment::Table::kMeta, key);
  if (!entry.ok()) return entry.status();
  return std::string(entry->value_or(""));
}

}  // namespace

absl::StatusOr<StoreMeta> ReadStoreMeta(const std::string& folder) {
  // With no size given, LMDB maps what the file takes.
  const absl::StatusOr<std::unique_ptr<LmdbEnvironment>> environment =
      LmdbEnvironment::Open(folder, /*map_size=*/0, nullptr);
  if (!environment.ok()) return environment.status();
  const absl::StatusOr<LmdbEnvironment::ReadTransaction> txn =
      (*environment)->BeginRead();
  if (!txn.ok()) return txn.status();
  const absl::StatusOr<std::string> header = ReadEntry(*txn, kHeaderKey);
  if (!header.ok()) return header.status();
  const absl::StatusOr<std::string> accumulator =
      ReadEntry(*txn, kAccumulatorKey);
  if (!accumulator.ok()) return accumulator.status();
  const absl::StatusOr<uint64_t> pages = txn->LivePages();
  if (!pages.ok()) return pages.status();
  return StoreMeta{*header, *accumulator, *pages * (*environment)->page_size()};
}

}  // namespace statecpp
