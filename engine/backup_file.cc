// SPDX-License-Identifier: Apache-2.0
#include "engine/backup_file.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/file_system.h"
#include "engine/lmdb_file.h"
#include "engine/meta_table.h"
#include "engine/overlay.h"
#include "engine/store_header.h"

namespace statecpp {
namespace {

using Table = LmdbEnvironment::Table;

// Of what one transaction writes, about. Less, and syncs are all that happens;
// more, and more is to be copied again after a crash.
constexpr uint64_t kBytesPerTransaction = uint64_t{16} << 20;
// LMDB wants maps in whole pages of the machine; the largest that Linux has.
constexpr uint64_t kMapUnit = 65536;
// And room for a few pages.
constexpr uint64_t kMapOfTheFile = 0;

struct Opened {
  std::unique_ptr<LmdbEnvironment> environment;
  std::string store_id;  // empty: none was written
};

// Of the store that it is a backup of; once it was closed, its header says so.
absl::StatusOr<std::string> ReadStoreId(LmdbEnvironment& environment,
                                        const std::string& folder) {
  const absl::StatusOr<LmdbEnvironment::ReadTransaction> txn =
      environment.BeginRead();
  if (!txn.ok()) return txn.status();
  const absl::StatusOr<std::optional<absl::string_view>> store_id =
      txn->Get(Table::kMeta, kBackupOfKey);
  if (!store_id.ok()) return store_id.status();
  if (store_id->has_value()) return std::string(**store_id);
  const absl::StatusOr<std::optional<absl::string_view>> bytes =
      txn->Get(Table::kMeta, kHeaderKey);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return "";
  const absl::StatusOr<StoreHeader> header = ReadHeader(**bytes, folder);
  if (!header.ok()) return header.status();
  return std::string(View(header->store_id));
}

absl::StatusOr<Opened> OpenWith(const std::string& folder, uint64_t map_size,
                                void (*on_assertion)(const char* text),
                                LmdbEnvironment::Access access) {
  absl::StatusOr<std::unique_ptr<LmdbEnvironment>> environment =
      LmdbEnvironment::Open(folder, map_size, on_assertion, access);
  if (!environment.ok()) return environment.status();
  absl::StatusOr<std::string> store_id = ReadStoreId(**environment, folder);
  if (!store_id.ok()) return store_id.status();
  return Opened{*std::move(environment), *std::move(store_id)};
}

// What an interrupted backup left, or nothing where that cannot be gone on
// with.
absl::StatusOr<Opened> OpenLeftover(const std::string& folder,
                                    uint64_t map_size,
                                    void (*on_assertion)(const char* text)) {
  const absl::Status checked = CheckLmdbFile(folder + "/data.mdb");
  if (!checked.ok()) return checked;
  return OpenWith(folder, map_size, on_assertion,
                  LmdbEnvironment::Access::kWrite);
}

absl::Status RemoveFiles(const std::string& folder) {
  for (const char* name : {"/data.mdb", "/lock.mdb"}) {
    std::error_code failed;
    std::filesystem::remove(folder + name, failed);
    if (failed) return error::System("remove", folder + name, failed.value());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BackupFile> BackupFile::Open(
    const std::string& folder, absl::string_view header, uint64_t max_bytes,
    void (*on_assertion)(const char* text)) {
  const uint64_t map_size = (max_bytes + kMapUnit - 1) / kMapUnit * kMapUnit;
  const absl::StatusOr<StoreHeader> own = ReadHeader(header, folder);
  if (!own.ok()) return own.status();
  absl::StatusOr<Opened> leftover =
      OpenLeftover(folder, map_size, on_assertion);
  if (leftover.ok() && !leftover->store_id.empty()) {
    if (leftover->store_id != View(own->store_id)) {
      return error::BackupOfAnotherStore(folder);
    }
    BackupFile file(folder, std::move(leftover->environment),
                    /*is_resumed=*/true);
    const absl::Status begun = file.BeginAs(own->store_id);
    if (!begun.ok()) return begun;
    return file;
  }
  // What cannot be read just now may be there, and is not removed.
  if (!leftover.ok() && !absl::IsNotFound(leftover.status()) &&
      !absl::IsDataLoss(leftover.status())) {
    return leftover.status();
  }
  if (leftover.ok()) leftover->environment.reset();
  if (const absl::Status removed = RemoveFiles(folder); !removed.ok()) {
    return removed;
  }
  absl::StatusOr<Opened> made =
      OpenWith(folder, map_size, on_assertion, LmdbEnvironment::Access::kMake);
  if (!made.ok()) return made.status();
  BackupFile file(folder, std::move(made->environment), /*is_resumed=*/false);
  const absl::Status begun = file.BeginAs(own->store_id);
  if (!begun.ok()) return begun;
  STATECPP_FAIL_POINT("backup.begun");
  return file;
}

// The header comes when it is that of the backup's moment: what keys it names
// by then and no more would stay in a page that is not used again. One that was
// closed and did not get its name is no store any more.
absl::Status BackupFile::BeginAs(const StoreId& store_id) {
  absl::Status done = Begin();
  if (done.ok()) {
    done = txn_->Put(Table::kMeta, kBackupOfKey, View(store_id));
  }
  for (const absl::string_view later : {kHeaderKey, kAccumulatorKey}) {
    if (done.ok()) done = txn_->Delete(Table::kMeta, later);
  }
  return done.ok() ? Commit() : done;
}

absl::StatusOr<std::optional<absl::string_view>> BackupFile::Get(
    Space space, absl::string_view key) {
  if (const absl::Status begun = Begin(); !begun.ok()) return begun;
  const absl::StatusOr<std::optional<absl::string_view>> found =
      txn_->Get(TableOf(space), key);
  if (!found.ok()) return InItsName(found.status());
  return found;
}

absl::Status BackupFile::Scan(
    Space space, absl::string_view from,
    absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>
        visit) {
  if (const absl::Status begun = Begin(); !begun.ok()) return begun;
  return InItsName(txn_->Scan(TableOf(space), from, visit));
}

// A new backup is written in the order of its keys, which fills its pages.
absl::StatusOr<bool> BackupFile::IsBehindAll(Space space,
                                             absl::string_view key) {
  bool is_behind = true;
  const absl::Status scanned =
      Scan(space, key, [&is_behind](absl::string_view, absl::string_view) {
        is_behind = false;
        return false;
      });
  if (!scanned.ok()) return scanned;
  return is_behind;
}

absl::Status BackupFile::Put(Space space, absl::string_view key,
                             absl::string_view value) {
  const absl::StatusOr<bool> is_behind = IsBehindAll(space, key);
  if (!is_behind.ok()) return is_behind.status();
  const uint64_t bytes = key.size() + value.size();
  if (*is_behind) {
    const absl::Status added = txn_->Append(TableOf(space), key, value);
    return added.ok() ? Count(bytes) : InItsName(added);
  }
  const absl::Status put = txn_->Put(TableOf(space), key, value);
  return put.ok() ? CountAnywhere(bytes) : InItsName(put);
}

absl::Status BackupFile::Delete(Space space, absl::string_view key) {
  absl::Status done = Begin();
  if (done.ok()) done = txn_->Delete(TableOf(space), key);
  return done.ok() ? CountAnywhere(key.size()) : InItsName(done);
}

absl::Status BackupFile::Begin() {
  if (txn_.has_value()) return absl::OkStatus();
  absl::StatusOr<LmdbEnvironment::WriteTransaction> txn =
      environment_->BeginWrite();
  if (!txn.ok()) return txn.status();
  txn_.emplace(*std::move(txn));
  return absl::OkStatus();
}

// DATA_LOSS would be said of the store.
absl::Status BackupFile::InItsName(const absl::Status& status) const {
  return absl::IsDataLoss(status)
             ? error::BackupFileDamaged(folder_, error::ReasonOf(status))
             : status;
}

absl::Status BackupFile::Count(uint64_t bytes) {
  txn_bytes_ += bytes;
  return txn_bytes_ < kBytesPerTransaction ? absl::OkStatus() : Commit();
}

// A page at least is copied, and is written, for what is not next to the last.
absl::Status BackupFile::CountAnywhere(uint64_t bytes) {
  return Count(std::max<uint64_t>(bytes, environment_->page_size()));
}

absl::Status BackupFile::Commit() {
  if (!txn_.has_value()) return absl::OkStatus();
  const absl::Status committed = txn_->Commit();
  txn_.reset();
  txn_bytes_ = 0;
  STATECPP_FAIL_POINT("backup.written");
  return committed;
}

absl::Status BackupFile::Close(absl::string_view header) && {
  absl::Status done = Begin();
  if (done.ok()) done = txn_->Delete(Table::kMeta, kBackupOfKey);
  if (done.ok()) done = txn_->Put(Table::kMeta, kHeaderKey, header);
  if (done.ok()) done = Commit();
  txn_.reset();
  environment_.reset();
  ForgetCached(folder_ + "/data.mdb");
  return done;
}

absl::Status BackupFile::Finish(const std::string& folder,
                                absl::string_view accumulator,
                                void (*on_assertion)(const char* text)) {
  const absl::StatusOr<std::unique_ptr<LmdbEnvironment>> environment =
      LmdbEnvironment::Open(folder, kMapOfTheFile, on_assertion);
  if (!environment.ok()) return environment.status();
  absl::StatusOr<LmdbEnvironment::WriteTransaction> txn =
      (*environment)->BeginWrite();
  if (!txn.ok()) return txn.status();
  const absl::Status put = txn->Put(Table::kMeta, kAccumulatorKey, accumulator);
  return put.ok() ? txn->Commit() : put;
}

}  // namespace statecpp
