// SPDX-License-Identifier: Apache-2.0
//
// The order of things, which is what makes a copy safe to interrupt:
//
//   1. the store is locked, so that nobody changes or opens it, and looked at
//   2. a folder aside is made, locked and filled
//   3. the walk that filled it has come to the store's own accumulator: what
//      was read is what was once written
//   4. the copy is opened anew and walked: it holds what was read
//   5. the copy is synced, and the folder that it is in
//   6. both folders are exchanged, and their parent is synced
//   7. what is now aside, the former store, is removed
//
// Until 6 the path holds the store as it was, and from then on the copy.
#include "engine/store_copy.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "engine/checked_copy.h"
#include "engine/closed_store.h"
#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/file_system.h"
#include "engine/folder_aside.h"
#include "engine/store_folder.h"
#include "engine/store_header.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

// A link is not what is exchanged.
std::string RealPath(const std::string& path) {
  std::error_code failed;
  const fs::path real = fs::canonical(path, failed);
  return failed ? path : real.string();
}

// `copy` takes the store's place; the former store is removed.
absl::StatusOr<CopyReport> PutInPlace(const std::string& path,
                                      FolderAside& copy) {
  CopyReport report = {.bytes_before = FileSize(path + "/data.mdb"),
                       .bytes_after = FileSize(copy.path() + "/data.mdb")};
  // All of it belongs to whom it did, whoever runs this.
  absl::Status ready = copy.TakeOwnersAndModes(path);
  if (ready.ok()) ready = copy.Sync();
  STATECPP_FAIL_POINT("copy.synced");
  if (ready.ok()) ready = copy.Exchange();
  STATECPP_FAIL_POINT("copy.exchanged");
  if (absl::IsUnimplemented(ready)) return ready;
  if (!ready.ok()) return error::CopyFailed(path, ready);
  const absl::Status synced = SyncPath(ParentOf(path));
  if (!synced.ok()) {
    const std::string former = copy.path();
    copy.Abandon();
    return error::CopyNotDurable(path, former, synced.message());
  }
  STATECPP_FAIL_POINT("copy.durable");
  const std::string former = copy.path();
  const absl::Status removed = copy.Remove();
  if (!removed.ok()) {
    report.removed = error::FormerStoreLeft(former, removed.message());
  }
  return report;
}

// Replaces the store by the one of that header or, without, by itself.
absl::StatusOr<CopyReport> Replace(
    const CopyOptions& options,
    absl::FunctionRef<absl::StatusOr<NewHeader>(const ClosedStore& store)>
        choose_header) {
  const std::string path = RealPath(options.path);
  const absl::StatusOr<StoreFolder> folder = Hold(path, options);
  if (!folder.ok()) return folder.status();
  if (const absl::Status looked = LookFirst(path, options, Look::kStructures);
      !looked.ok()) {
    return looked;
  }
  const absl::StatusOr<std::unique_ptr<ClosedStore>> source = ClosedStore::Open(
      folder->path(), options.keys.get(), options.on_assertion);
  if (!source.ok()) return source.status();
  const absl::StatusOr<NewHeader> header = choose_header(**source);
  if (!header.ok()) return header.status();
  const absl::StatusOr<Room> room = CheckRoom(path, **source, path);
  if (!room.ok()) return room.status();
  absl::StatusOr<FolderAside> aside = FolderAside::Make(path);
  if (!aside.ok()) return error::CopyFailed(path, aside.status());
  if (const absl::Status works = aside->CheckExchange(); !works.ok()) {
    return works;
  }

  STATECPP_FAIL_POINT("copy.folder-made");
  const Secret content_key = Secret::Random();
  const absl::StatusOr<CopySums> sums = WriteCopy(
      path, **source, aside->path(), *header, options, content_key, *room);
  if (!sums.ok()) return sums.status();
  STATECPP_FAIL_POINT("copy.written");
  const absl::Status checked =
      CheckCopy(path, aside->path(), options, content_key, *sums);
  if (!checked.ok()) return checked;
  STATECPP_FAIL_POINT("copy.checked");
  absl::StatusOr<CopyReport> report = PutInPlace(path, *aside);
  if (report.ok()) report->records = sums->contents.records();
  return report;
}

}  // namespace

absl::StatusOr<CopyReport> CompactStore(const CopyOptions& options) {
  return Replace(options, [](const ClosedStore&) { return NewHeader(); });
}

absl::StatusOr<CopyReport> EncryptStore(const CopyOptions& options) {
  return Replace(
      options, [&](const ClosedStore& store) -> absl::StatusOr<NewHeader> {
        if (store.header().sealed) {
          return error::StoreIsSealed(options.path, store.header().slots);
        }
        if (options.keys == nullptr) {
          return error::NoKeyToSealWith(options.path);
        }
        return NewSealedHeader(options.keys->front(), SystemRandom());
      });
}

}  // namespace statecpp
