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
#include "engine/closed_store.h"
#include "engine/copy_writer.h"
#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/file_system.h"
#include "engine/folder_aside.h"
#include "engine/record_copy.h"
#include "engine/store_folder.h"
#include "engine/store_header.h"
#include "engine/store_verifier.h"
#include "engine/walk_child.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

// How much larger than the pages that the store has in use a copy may turn
// out: other neighbours fill pages otherwise.
constexpr uint64_t kRoomShare = 16;
constexpr uint64_t kRoomAtLeast = uint64_t{1} << 20;

// Of the map, which costs nothing: a copy of pages that were full may fill its
// own by half.
constexpr uint64_t kMapShare = 4;

// The header of the store that is made, where it is another.
using NewHeader = std::optional<std::string>;

struct Room {
  uint64_t have;
  uint64_t need;
};

// A link is not what is exchanged.
std::string RealPath(const std::string& path) {
  std::error_code failed;
  const fs::path real = fs::canonical(path, failed);
  return failed ? path : real.string();
}

absl::StatusOr<StoreFolder> Hold(const std::string& path,
                                 const CopyOptions& options) {
  return StoreFolder::Open(
      {.path = path,
       .create = false,
       .lock_timeout = options.lock_timeout,
       .allow_network_file_system = options.allow_network_file_system},
      [&path](const std::string&) { return error::StoreMissing(path); });
}

// Finds structures that are damaged before this process follows them. Records
// are opened when they are copied.
absl::Status LookFirst(const std::string& path, const CopyOptions& options) {
  if (options.walker.empty()) return absl::OkStatus();
  std::optional<WalkFinding> first;
  bool cancelled = false;
  const VerifyEvents events = {
      .found =
          [&first](const WalkFinding& finding) {
            if (!first.has_value()) first = finding;
          },
      .progress =
          [&](uint64_t records, uint64_t, uint64_t total) {
            cancelled =
                options.on_progress != nullptr &&
                !options.on_progress(CopyOptions::Step::kLook, records, total);
            return !cancelled;
          }};
  const absl::StatusOr<WalkReport> report = WalkInChild(
      {.folder = path, .now = options.clock->Now(), .quick = true},
      options.walker, events,
      [&](absl::string_view bytes)
          -> absl::StatusOr<std::shared_ptr<const Keyring>> {
        const absl::StatusOr<StoreHeader> header = ReadHeader(bytes, path);
        if (!header.ok()) return header.status();
        absl::StatusOr<OpenedHeader> opened = OpenHeader(
            bytes, header->sealed ? options.keys.get() : nullptr, path);
        if (!opened.ok()) return opened.status();
        return std::move(opened->keyring);
      });
  if (cancelled) return error::CopyCancelled(path);
  if (!report.ok()) return report.status();
  if (first.has_value()) {
    return error::NotCopiedDamaged(
        path, absl::StrCat(NameOf(first->kind), ": ", first->reason));
  }
  return absl::OkStatus();
}

absl::StatusOr<Room> CheckRoom(const std::string& path,
                               const ClosedStore& store) {
  const absl::StatusOr<uint64_t> have = FreeBytes(ParentOf(path));
  if (!have.ok()) return have.status();
  const uint64_t live = store.live_bytes();
  const Room room = {*have, live + live / kRoomShare + kRoomAtLeast};
  if (room.have < room.need) {
    return error::NoRoomForCopy(path, room.have, room.need);
  }
  return room;
}

// What stopped a copy that is being written.
absl::Status WhyNotCopied(const std::string& path, const Room& room,
                          const absl::Status& cause) {
  switch (cause.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
      return cause;
    case absl::StatusCode::kDataLoss:
      return error::NotCopiedDamaged(path, error::ReasonOf(cause));
    case absl::StatusCode::kResourceExhausted:
      return error::DiskFullWhileCopying(path, room.need);
    default:
      return error::CopyFailed(path, cause);
  }
}

// Fills the folder and returns what was read for it.
absl::StatusOr<CopySums> WriteCopy(const ClosedStore& source,
                                   const std::string& folder,
                                   const NewHeader& header,
                                   const CopyOptions& options,
                                   const Secret& content_key, uint64_t need) {
  absl::StatusOr<CopyWriter> copy =
      CopyWriter::Make(folder, kMapShare * need, options.on_assertion);
  if (!copy.ok()) return copy.status();
  CopySums sums(source.keyring(), content_key);
  absl::Status done = absl::OkStatus();
  if (header.has_value()) {
    const absl::StatusOr<OpenedHeader> opened =
        OpenHeader(*header, options.keys.get(), folder);
    if (!opened.ok()) return opened.status();
    done = CopySealed(source, *header, *opened->keyring, options, *copy, sums);
  } else {
    done = CopyAsItIs(source, options, *copy, sums);
  }
  if (done.ok()) done = std::move(*copy).Finish();
  if (!done.ok()) return done;
  return sums;
}

absl::Status CheckCopy(const std::string& path, const std::string& folder,
                       const CopyOptions& options, const Secret& content_key,
                       const CopySums& expected) {
  const absl::StatusOr<std::unique_ptr<ClosedStore>> copy =
      ClosedStore::Open(folder, options.keys.get(), options.on_assertion);
  if (!copy.ok()) return error::CopyDiffers(path, copy.status().message());
  CopySums found((*copy)->keyring(), content_key);
  const absl::Status summed = SumCopy(**copy, options, found);
  if (absl::IsCancelled(summed)) return summed;
  if (!summed.ok()) return error::CopyDiffers(path, summed.message());
  if (!found.records.SameRecords((*copy)->accumulator())) {
    return error::CopyDiffers(path, "its accumulator is of other records");
  }
  if (!found.contents.SameAs(expected.contents)) {
    return error::CopyDiffers(path, "its items are others");
  }
  if (found.expiry_entries != expected.expiry_entries) {
    return error::CopyDiffers(path, "its expiry entries are others");
  }
  return absl::OkStatus();
}

// All that belongs to the store's folder belongs to whom it did, whoever runs
// this.
absl::Status GiveToOwner(const std::string& path, const std::string& folder) {
  for (const char* name : {"", "/LOCK", "/data.mdb", "/lock.mdb"}) {
    const absl::Status given = TakeOwnerAndMode(path + name, folder + name);
    if (!given.ok()) return given;
  }
  return absl::OkStatus();
}

uint64_t SizeOfData(const std::string& folder) {
  std::error_code ignored;
  return fs::file_size(folder + "/data.mdb", ignored);
}

// `copy` takes the store's place; the former store is removed.
absl::StatusOr<CopyReport> PutInPlace(const std::string& path,
                                      FolderAside& copy) {
  CopyReport report = {.bytes_before = SizeOfData(path),
                       .bytes_after = SizeOfData(copy.path())};
  absl::Status ready = GiveToOwner(path, copy.path());
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
  if (const absl::Status looked = LookFirst(path, options); !looked.ok()) {
    return looked;
  }
  const absl::StatusOr<std::unique_ptr<ClosedStore>> source = ClosedStore::Open(
      folder->path(), options.keys.get(), options.on_assertion);
  if (!source.ok()) return source.status();
  const absl::StatusOr<NewHeader> header = choose_header(**source);
  if (!header.ok()) return header.status();
  const absl::StatusOr<Room> room = CheckRoom(path, **source);
  if (!room.ok()) return room.status();
  absl::StatusOr<FolderAside> aside = FolderAside::Make(path);
  if (!aside.ok()) return error::CopyFailed(path, aside.status());
  if (const absl::Status works = aside->CheckExchange(); !works.ok()) {
    return works;
  }

  STATECPP_FAIL_POINT("copy.folder-made");
  const Secret content_key = Secret::Random();
  const absl::StatusOr<CopySums> sums = WriteCopy(
      **source, aside->path(), *header, options, content_key, room->need);
  if (!sums.ok()) return WhyNotCopied(path, *room, sums.status());
  if (const Accumulator& kept = (*source)->accumulator();
      !sums->records.SameRecords(kept)) {
    return error::NotCopiedDamaged(
        path, error::RecordsDiffer(sums->records.records(), kept.records(),
                                   /*damaged=*/0, kept.unreadable()));
  }
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
