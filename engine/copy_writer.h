// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_COPY_WRITER_H_
#define STATECPP_ENGINE_COPY_WRITER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/lmdb_environment.h"

namespace statecpp {

// Fills the tables of a new data.mdb, each in the order of its keys, in
// transactions of a size that memory bears.
//
//   absl::StatusOr<CopyWriter> copy = CopyWriter::Make(folder, max_bytes, ...);
//   copy->Append(...);
//   absl::Status finished = std::move(*copy).Finish();
//
// The file is whole only after Finish. Thread-compatible.
class CopyWriter {
 public:
  using Table = LmdbEnvironment::Table;

  // `max_bytes` is what the file may grow to at most.
  static absl::StatusOr<CopyWriter> Make(
      const std::string& folder, uint64_t max_bytes,
      void (*on_assertion)(const char* text));

  CopyWriter(CopyWriter&&) = default;
  CopyWriter& operator=(CopyWriter&&) = delete;

  // `key` is greater than those before it in the table.
  //
  // RESOURCE_EXHAUSTED, UNKNOWN: the disk is full, or failed.
  absl::Status Append(Table table, absl::string_view key,
                      absl::string_view value);

  // All that was appended is durable, and the file is closed.
  absl::Status Finish() &&;

 private:
  explicit CopyWriter(std::unique_ptr<LmdbEnvironment> environment)
      : environment_(std::move(environment)) {}

  absl::Status Commit();

  std::unique_ptr<LmdbEnvironment> environment_;
  std::optional<LmdbEnvironment::WriteTransaction> txn_;
  uint64_t txn_bytes_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_COPY_WRITER_H_
