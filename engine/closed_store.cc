// SPDX-License-Identifier: Apache-2.0
#include "engine/closed_store.h"

#include <optional>
#include <utility>

#include "engine/errors.h"
#include "engine/keys.h"
#include "engine/lmdb_file.h"
#include "engine/meta_table.h"

namespace statecpp {
namespace {

// As large as whoever wrote the file had it.
constexpr uint64_t kMapOfTheWriter = 0;

}  // namespace

absl::StatusOr<std::unique_ptr<ClosedStore>> ClosedStore::Open(
    const std::string& folder, const MasterKeys* keys,
    void (*on_assertion)(const char* text)) {
  return OpenWith(
      folder, on_assertion,
      [&](absl::string_view bytes) -> absl::StatusOr<OpenedHeader> {
        const absl::StatusOr<StoreHeader> header = ReadHeader(bytes, folder);
        if (!header.ok()) return header.status();
        return OpenHeader(bytes, header->sealed ? keys : nullptr, folder);
      },
      std::nullopt);
}

absl::StatusOr<std::unique_ptr<ClosedStore>> ClosedStore::OpenUnfinished(
    const std::string& folder, const Secret& root,
    absl::string_view accumulator, void (*on_assertion)(const char* text)) {
  return OpenWith(
      folder, on_assertion,
      [&](absl::string_view bytes) {
        return OpenHeaderByRoot(bytes, root, folder);
      },
      accumulator);
}

absl::StatusOr<std::unique_ptr<ClosedStore>> ClosedStore::OpenWith(
    const std::string& folder, void (*on_assertion)(const char* text),
    Unlock unlock, std::optional<absl::string_view> given) {
  const absl::Status checked = CheckLmdbFile(folder + "/data.mdb");
  if (!checked.ok()) return checked;
  absl::StatusOr<std::unique_ptr<LmdbEnvironment>> environment =
      LmdbEnvironment::Open(folder, kMapOfTheWriter, on_assertion,
                            LmdbEnvironment::Access::kRead);
  if (!environment.ok()) return environment.status();
  absl::StatusOr<LmdbEnvironment::ReadTransaction> snapshot =
      (*environment)->BeginRead();
  if (!snapshot.ok()) return snapshot.status();

  const absl::StatusOr<std::optional<absl::string_view>> bytes =
      snapshot->Get(Table::kMeta, kHeaderKey);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return error::HeaderDamaged(folder, "missing");
  absl::StatusOr<OpenedHeader> opened = unlock(**bytes);
  if (!opened.ok()) return opened.status();

  const absl::StatusOr<std::optional<absl::string_view>> sealed =
      given.has_value() ? given : snapshot->Get(Table::kMeta, kAccumulatorKey);
  if (!sealed.ok()) return sealed.status();
  std::optional<Accumulator> accumulator =
      Accumulator::Open(*opened->keyring, sealed->value_or(""));
  if (!accumulator.has_value()) {
    return error::HeaderDamaged(folder, "its accumulator does not open");
  }
  const absl::StatusOr<uint64_t> pages = snapshot->LivePages();
  if (!pages.ok()) return pages.status();
  const uint64_t live_bytes = *pages * (*environment)->page_size();
  return std::unique_ptr<ClosedStore>(
      new ClosedStore(*std::move(environment), *std::move(snapshot),
                      *std::move(opened), *std::move(accumulator), live_bytes));
}

absl::Status ClosedStore::Scan(Table table, Visit visit) const {
  absl::Status visited = absl::OkStatus();
  const absl::Status scanned = snapshot_.Scan(
      table, "", [&](absl::string_view key, absl::string_view value) {
        visited = visit(key, value);
        return visited.ok();
      });
  return scanned.ok() ? visited : scanned;
}

absl::Status ClosedStore::WithRecord(
    absl::string_view place, absl::string_view record,
    absl::FunctionRef<absl::Status(const RecordContent& content)> visit) const {
  const absl::StatusOr<RecordReader> reader =
      RecordReader::Open(*keyring_, place, record);
  if (!reader.ok()) return reader.status();
  const absl::StatusOr<std::string> value = reader->ReadValue();
  if (!value.ok()) return value.status();
  if (RecordKey(keyring_->paths(), reader->key()) != place) {
    return error::RecordDamaged(error::Foreign());
  }
  return visit({.version = reader->version(),
                .expires_ms = reader->expires_ms(),
                .key = reader->key(),
                .content_type = reader->content_type(),
                .value = *value});
}

}  // namespace statecpp
