// SPDX-License-Identifier: Apache-2.0
#include "engine/checked_copy.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/copy_writer.h"
#include "engine/errors.h"
#include "engine/file_system.h"
#include "engine/store_header.h"
#include "engine/store_verifier.h"
#include "engine/walk_child.h"

namespace statecpp {
namespace {

// How much larger than the pages that the store has in use a copy may turn
// out: other neighbours fill pages otherwise.
constexpr uint64_t kRoomShare = 16;
constexpr uint64_t kRoomAtLeast = uint64_t{1} << 20;

// Of the map, which costs nothing: a copy of pages that were full may fill its
// own by half.
constexpr uint64_t kMapShare = 4;

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

absl::StatusOr<CopySums> Fill(const ClosedStore& source,
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

}  // namespace

absl::StatusOr<StoreFolder> Hold(const std::string& path,
                                 const CopyOptions& options) {
  return StoreFolder::Open(
      {.path = path,
       .create = false,
       .lock_timeout = options.lock_timeout,
       .allow_network_file_system = options.allow_network_file_system},
      [&path](const std::string&) { return error::StoreMissing(path); });
}

absl::Status LookFirst(const std::string& path, const CopyOptions& options,
                       Look look) {
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
      {.folder = path,
       .now = options.clock->Now(),
       .quick = look == Look::kStructures},
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
                               const ClosedStore& store,
                               const std::string& target) {
  const absl::StatusOr<uint64_t> have = FreeBytes(ParentOf(target));
  if (!have.ok()) return have.status();
  const uint64_t live = store.live_bytes();
  const Room room = {*have, live + live / kRoomShare + kRoomAtLeast};
  if (room.have < room.need) {
    return error::NoRoomForCopy(path, room.have, room.need);
  }
  return room;
}

absl::StatusOr<CopySums> WriteCopy(
    const std::string& path, const ClosedStore& source,
    const std::string& folder, const NewHeader& header,
    const CopyOptions& options, const Secret& content_key, const Room& room) {
  absl::StatusOr<CopySums> sums =
      Fill(source, folder, header, options, content_key, room.need);
  if (!sums.ok()) return WhyNotCopied(path, room, sums.status());
  if (const Accumulator& kept = source.accumulator();
      !sums->records.SameRecords(kept)) {
    return error::NotCopiedDamaged(
        path, error::RecordsDiffer(sums->records.records(), kept.records(),
                                   /*damaged=*/0, kept.unreadable()));
  }
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

}  // namespace statecpp
