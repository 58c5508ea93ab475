// SPDX-License-Identifier: Apache-2.0
#include "engine/copy_writer.h"

namespace statecpp {
namespace {

// Of keys and values in one transaction. Less, and syncs are all that happens;
// more, and whoever asks for the end waits longer.
constexpr uint64_t kBytesPerTransaction = uint64_t{16} << 20;
// LMDB wants maps in whole pages of the machine; the largest that Linux has.
constexpr uint64_t kMapUnit = 65536;

}  // namespace

absl::StatusOr<CopyWriter> CopyWriter::Make(
    const std::string& folder, uint64_t max_bytes,
    void (*on_assertion)(const char* text)) {
  const uint64_t map_size = (max_bytes + kMapUnit - 1) / kMapUnit * kMapUnit;
  absl::StatusOr<std::unique_ptr<LmdbEnvironment>> environment =
      LmdbEnvironment::Open(folder, map_size, on_assertion,
                            LmdbEnvironment::Access::kMake);
  if (!environment.ok()) return environment.status();
  return CopyWriter(*std::move(environment));
}

absl::Status CopyWriter::Append(Table table, absl::string_view key,
                                absl::string_view value) {
  if (!txn_.has_value()) {
    absl::StatusOr<LmdbEnvironment::WriteTransaction> txn =
        environment_->BeginWrite();
    if (!txn.ok()) return txn.status();
    txn_.emplace(*std::move(txn));
  }
  const absl::Status appended = txn_->Append(table, key, value);
  if (!appended.ok()) return appended;
  txn_bytes_ += key.size() + value.size();
  return txn_bytes_ < kBytesPerTransaction ? absl::OkStatus() : Commit();
}

absl::Status CopyWriter::Commit() {
  if (!txn_.has_value()) return absl::OkStatus();
  const absl::Status committed = txn_->Commit();
  txn_.reset();
  txn_bytes_ = 0;
  return committed;
}

absl::Status CopyWriter::Finish() && {
  const absl::Status committed = Commit();
  environment_.reset();
  return committed;
}

}  // namespace statecpp
