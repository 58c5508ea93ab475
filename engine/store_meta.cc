// SPDX-License-Identifier: Apache-2.0
#include "engine/store_meta.h"

#include <unistd.h>

#include <memory>
#include <optional>

#include "absl/cleanup/cleanup.h"
#include "absl/time/time.h"
#include "engine/errors.h"
#include "engine/file_lock.h"
#include "engine/lmdb_environment.h"
#include "engine/lmdb_file.h"
#include "engine/meta_table.h"
#include "engine/store_folder.h"

namespace statecpp {
namespace {

absl::StatusOr<std::string> ReadEntry(const LmdbReader& txn,
                                      absl::string_view key) {
  const absl::StatusOr<std::optional<absl::string_view>> entry =
      txn.Get(LmdbEnvironment::Table::kMeta, key);
  if (!entry.ok()) return entry.status();
  return std::string(entry->value_or(""));
}

absl::Status CameMeanwhile(const std::string& folder) {
  return error::StoreHeld(folder, "a process that came meanwhile",
                          absl::ZeroDuration());
}

// While nobody writes.
absl::StatusOr<StoreMeta> ReadAlone(const std::string& folder,
                                    void (*on_assertion)(const char* text)) {
  const std::string file = folder + "/data.mdb";
  const absl::StatusOr<int> checked = OpenLoneLmdbFile(file);
  if (!checked.ok()) return checked.status();
  const absl::Cleanup close_checked = [&checked] { close(*checked); };
  // With no size given, LMDB maps what the file takes.
  const absl::StatusOr<std::unique_ptr<LmdbEnvironment>> environment =
      LmdbEnvironment::Open(folder, /*map_size=*/0, on_assertion,
                            LmdbEnvironment::Access::kLook);
  if (!environment.ok()) return environment.status();
  // LMDB opens it by its name, which may lead elsewhere by now.
  for (const int fd : {(*environment)->descriptor(), *checked}) {
    if (!CheckSameFile(file, fd).ok()) return CameMeanwhile(folder);
  }
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

}  // namespace

absl::StatusOr<StoreMeta> ReadStoreMeta(
    const std::string& folder, void (*on_assertion)(const char* text)) {
  const absl::Status there = StoreFolder::CheckThere(folder);
  if (!there.ok()) return there;
  const absl::StatusOr<SharedFileLock> lock =
      SharedFileLock::Acquire(folder + "/LOCK");
  if (!lock.ok()) return lock.status();
  absl::StatusOr<StoreMeta> meta = ReadAlone(folder, on_assertion);
  if (!lock->Holds()) {
    return CameMeanwhile(folder);
  }
  return meta;
}

}  // namespace statecpp
