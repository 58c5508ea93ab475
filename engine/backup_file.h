// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_BACKUP_FILE_H_
#define STATECPP_ENGINE_BACKUP_FILE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/store_id.h"
#include "engine/lmdb_environment.h"
#include "engine/storage.h"

namespace statecpp {

// The data.mdb of a backup that is being written: a store's, but for the header
// and the accumulator, without which no store opens. Of these it says only what
// store it is of, until it is closed; and the accumulator comes last, when it
// is proved that the rest is what it should be.
//
//   absl::StatusOr<BackupFile> file =
//       BackupFile::Open(folder, header, max_bytes, on_assertion);
//   file->Put(Space::kRecords, key, record);
//   absl::Status closed = std::move(*file).Close(header);
//   ... look at the file ...
//   absl::Status done = BackupFile::Finish(folder, accumulator, on_assertion);
//
// What was written is durable now and then, and at the latest with Close or
// Commit. Thread-compatible.
class BackupFile {
 public:
  // Goes on where the file in the folder stands, or begins one for the store of
  // that header. A file that is damaged, as a power cut can leave one that was
  // just begun, is begun anew. `max_bytes` is what it may grow to.
  //
  // ALREADY_EXISTS: it is of another store than the header is.
  // Those of error::System: it cannot be read now, and is as it was.
  static absl::StatusOr<BackupFile> Open(
      const std::string& folder, absl::string_view header, uint64_t max_bytes,
      void (*on_assertion)(const char* text));

  BackupFile(BackupFile&&) = default;
  BackupFile& operator=(BackupFile&&) = delete;

  // It went on where a file stood.
  bool is_resumed() const { return is_resumed_; }

  // Views live until the next write. UNKNOWN, here and below: the file is
  // damaged.
  absl::StatusOr<std::optional<absl::string_view>> Get(Space space,
                                                       absl::string_view key);
  absl::Status Scan(
      Space space, absl::string_view from,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>
          visit);

  // Whether there is nothing from `key` on.
  absl::StatusOr<bool> IsBehindAll(Space space, absl::string_view key);

  // RESOURCE_EXHAUSTED, UNKNOWN: the disk is full, or failed.
  absl::Status Put(Space space, absl::string_view key, absl::string_view value);
  absl::Status Delete(Space space, absl::string_view key);
  absl::Status Commit();

  // All is there but the accumulator. Durable, closed, and, where the system
  // grants it, no longer in memory: who reads it next learns what the disk has.
  absl::Status Close(absl::string_view header) &&;

  // From now on the file in the folder, which was closed, is a store. Durable.
  static absl::Status Finish(const std::string& folder,
                             absl::string_view accumulator,
                             void (*on_assertion)(const char* text));

 private:
  BackupFile(std::string folder, std::unique_ptr<LmdbEnvironment> environment,
             bool is_resumed)
      : folder_(std::move(folder)),
        environment_(std::move(environment)),
        is_resumed_(is_resumed) {}

  absl::Status Begin();
  absl::Status BeginAs(const StoreId& store_id);
  absl::Status InItsName(const absl::Status& status) const;
  absl::Status Count(uint64_t bytes);
  absl::Status CountAnywhere(uint64_t bytes);

  const std::string folder_;
  std::unique_ptr<LmdbEnvironment> environment_;
  bool is_resumed_;
  std::optional<LmdbEnvironment::WriteTransaction> txn_;
  uint64_t txn_bytes_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_BACKUP_FILE_H_
