// SPDX-License-Identifier: Apache-2.0
//
// The order of things, which is what makes a backup one moment of a store:
//
//   1. commits note the keys that they change
//   2. every key is copied, in slices
//   3. what was changed meanwhile is taken and copied, again and again, until
//      all that was taken with a snapshot is read in that snapshot: from then
//      on nothing is read
//   4. the header of that snapshot is written
//   5. the copy is opened anew, and its records are those of the accumulator of
//      that snapshot
//   6. the accumulator makes it a store
//   7. it is synced, and gets its name
//
// A key is noted after its commit is durable, and taken before the snapshot it
// is read in: so what was changed before a snapshot is in it, or was copied in
// a round before.
#include "engine/store_backup.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/types/span.h"
#include "engine/backup_bounds.h"
#include "engine/backup_file.h"
#include "engine/backup_folder.h"
#include "engine/backup_proof.h"
#include "engine/backup_range.h"
#include "engine/backup_slice.h"
#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/file_system.h"
#include "engine/reserve.h"

namespace statecpp {
namespace {

using Step = BackupRequest::Step;

// Of the last slice, beside which nothing may be left: what two groups of
// commits change at most, as a rule.
constexpr BackupBounds kLastSlice = {.looks = 16384,
                                     .bytes = uint64_t{16} << 20,
                                     .time = absl::Milliseconds(50)};

// A round is shorter than the one before if it has fewer keys than this share.
constexpr size_t kShorter = 2;
// Rounds that are not shorter before writes are slowed.
constexpr int kPatience = 3;
constexpr absl::Duration kFirstWait = absl::Milliseconds(1);
constexpr absl::Duration kLongestWait = absl::Milliseconds(256);
constexpr uint64_t kMostRounds = 64;

// Of the map, which costs nothing: the backup's pages may be half full.
constexpr uint64_t kMapShare = 4;

class Backup {
 public:
  Backup(LmdbStorage& storage, CommitQueue& queue, const BackupRequest& request,
         void (*on_assertion)(const char* text))
      : storage_(storage),
        queue_(queue),
        request_(request),
        on_assertion_(request.on_assertion == nullptr ? on_assertion
                                                      : request.on_assertion) {}

  absl::StatusOr<BackupReport> Run(ChangedKeys& changed) {
    if (!storage_.Follow(&changed)) return error::BackupRuns(request_.path);
    absl::Cleanup stop = [this] {
      queue_.Slow(absl::ZeroDuration());
      storage_.StopFollowing();
    };
    absl::StatusOr<BackupFolder> folder = BackupFolder::Open(
        request_.path,
        request_.outside.empty() ? storage_.path() : request_.outside);
    if (!folder.ok()) return folder.status();
    folder_ = &*folder;
    absl::StatusOr<BackupFile> file = Begin();
    if (!file.ok()) return file.status();
    file_ = &*file;
    report_.resumed = file->is_resumed();
    if (const absl::Status copied = CopyAll(); !copied.ok())
      return Stop(copied);
    absl::StatusOr<LmdbStorage::Moment> end = FollowToTheEnd();
    if (!end.ok()) return Stop(end.status());
    const absl::Status closed = std::move(*file).Close(end->header);
    if (!closed.ok()) return FailedToWrite(closed);
    STATECPP_FAIL_POINT("backup.closed");
    // Once: by then another backup may follow.
    std::move(stop).Invoke();
    const absl::StatusOr<BackupProof> proof =
        ProveBackup(storage_, *end, *folder_, on_assertion_,
                    [this](uint64_t done, uint64_t total) {
                      return Tell(Step::kCheck, done, total);
                    });
    if (!proof.ok()) return proof.status();
    report_.commit_seq = proof->commit_seq;
    report_.records = proof->records;
    STATECPP_FAIL_POINT("backup.checked");
    if (const absl::Status placed = Place(*end); !placed.ok()) return placed;
    return report_;
  }

 private:
  // Leaves nothing behind where nothing could be begun.
  absl::StatusOr<BackupFile> Begin() {
    absl::Cleanup remove = [this] {
      if (!folder_->is_left()) folder_->Discard();
    };
    absl::StatusOr<LmdbStorage::Moment> begin = storage_.TakeMoment();
    if (!begin.ok()) return begin.status();
    begin->view = {};
    keys_ = storage_.accumulator().records() + begin->expiry_entries;
    if (const absl::Status room = CheckRoom(); !room.ok()) return room;
    std::move(remove).Cancel();
    absl::StatusOr<BackupFile> file = BackupFile::Open(
        folder_->path(), begin->header,
        kMapShare * Reserve::MapSize(storage_.max_size()), on_assertion_);
    if (!file.ok()) return FailedToOpen(file.status());
    return file;
  }

  absl::Status CheckRoom() const {
    const absl::StatusOr<uint64_t> free = FreeBytes(folder_->path());
    if (!free.ok()) return free.status();
    const absl::StatusOr<uint64_t> need = storage_.UsedBytes();
    if (!need.ok()) return need.status();
    std::error_code is_new;
    const uint64_t there =
        std::filesystem::file_size(folder_->path() + "/data.mdb", is_new);
    const uint64_t have = *free + (is_new ? 0 : there);
    return have < *need ? error::NoRoomForCopy(storage_.path(), have, *need)
                        : absl::OkStatus();
  }

  // Keeps what was copied, for whoever goes on.
  absl::Status Stop(const absl::Status& cause) {
    (void)file_->Commit();
    return cause;
  }

  // What the system says where nothing was written yet is not the disk's fault.
  absl::Status FailedToOpen(const absl::Status& cause) const {
    return absl::IsInternal(cause) ? cause : FailedToWrite(cause);
  }

  absl::Status FailedToWrite(const absl::Status& cause) const {
    switch (cause.code()) {
      case absl::StatusCode::kResourceExhausted:
        return error::BackupDiskFull(folder_->path());
      // A sync that failed, and what the system or LMDB says of a disk.
      case absl::StatusCode::kUnknown:
      case absl::StatusCode::kInternal:
        return error::BackupDiskFailed(folder_->path(), cause);
      default:
        return cause;
    }
  }

  absl::Status Tell(Step step, uint64_t done, uint64_t total) const {
    if (absl::Status health = queue_.health(); !health.ok()) return health;
    if (request_.on_progress == nullptr ||
        request_.on_progress({step, done, total, report_.slowed})) {
      return absl::OkStatus();
    }
    return error::BackupCancelled(folder_->path());
  }

  absl::Status Write(BackupSlice& slice) {
    const absl::Status written = slice.WriteTo(*file_);
    if (!written.ok()) return FailedToWrite(written);
    report_.copied += slice.records();
    return absl::OkStatus();
  }

  absl::Status CopyAll() {
    uint64_t looked = 0;
    for (const Space space : {Space::kRecords, Space::kExpiry}) {
      std::optional<std::string> from = "";
      while (from.has_value()) {
        if (const absl::Status told = TellCopied(looked); !told.ok()) {
          return told;
        }
        const absl::StatusOr<BackupRange> range = ReadRange(space, *from);
        if (!range.ok()) return range.status();
        looked += range->looked();
        if (const absl::Status copied = CopyLacking(*range, looked);
            !copied.ok()) {
          return copied;
        }
        from = range->next();
      }
    }
    return Tell(Step::kCopy, looked, looked);
  }

  absl::Status TellCopied(uint64_t looked) const {
    return Tell(Step::kCopy, looked, std::max(looked, keys_));
  }

  absl::StatusOr<BackupRange> ReadRange(Space space, const std::string& from) {
    const absl::StatusOr<std::unique_ptr<Snapshot>> snapshot = storage_.Read();
    if (!snapshot.ok()) return snapshot.status();
    return BackupRange::Of(**snapshot, space, from, {});
  }

  // `looked` are the keys up to the end of the range.
  absl::Status CopyLacking(const BackupRange& range, uint64_t looked) {
    const absl::StatusOr<std::vector<ChangedKeys::Place>> lacking =
        range.Compare(*file_);
    if (!lacking.ok()) return FailedToWrite(lacking.status());
    absl::Span<const ChangedKeys::Place> left = *lacking;
    while (!left.empty()) {
      if (const absl::Status copied = CopySome(left); !copied.ok()) {
        return copied;
      }
      if (left.empty()) break;
      const absl::Status told = TellCopied(looked - left.size());
      if (!told.ok()) return told;
    }
    return absl::OkStatus();
  }

  // As many of the keys as one slice takes, which are gone from `left` then.
  absl::Status CopySome(absl::Span<const ChangedKeys::Place>& left) {
    absl::StatusOr<BackupSlice> slice = ReadPlaces(left);
    if (!slice.ok()) return slice.status();
    if (const absl::Status written = Write(*slice); !written.ok()) {
      return written;
    }
    left.remove_prefix(slice->looked());
    return absl::OkStatus();
  }

  absl::StatusOr<BackupSlice> ReadPlaces(
      absl::Span<const ChangedKeys::Place> places) {
    const absl::StatusOr<KeyedSnapshot> view =
        storage_.keyring().Read(storage_);
    if (!view.ok()) return view.status();
    return BackupSlice::Of(*view, places, {});
  }

  // Returns the moment that the backup is of, without its view. Nobody holds a
  // keyring for long: a rotation waits until the former one is let go.
  absl::StatusOr<LmdbStorage::Moment> FollowToTheEnd() {
    size_t before = std::numeric_limits<size_t>::max();
    int patience = kPatience;
    while (report_.rounds < kMostRounds) {
      ++report_.rounds;
      absl::StatusOr<LmdbStorage::Moment> moment = storage_.TakeMoment();
      if (!moment.ok()) return moment.status();
      const std::vector<ChangedKeys::Place> changed(
          moment->changed.places.begin(), moment->changed.places.end());
      moment->changed.places.clear();
      const absl::Span<const ChangedKeys::Place> places = changed;
      if (moment->changed.any) {
        moment->view = {};
        ++report_.rescans;
        SlowCommits();
        if (const absl::Status all = CopyAll(); !all.ok()) return all;
        continue;
      }
      const absl::StatusOr<size_t> looked =
          CopyAtMoment(std::exchange(moment->view, {}), places);
      if (!looked.ok()) return looked.status();
      if (*looked == places.size()) return moment;
      const absl::Status copied =
          CopyPlaces(places.subspan(*looked), places.size());
      if (!copied.ok()) return copied;
      if (places.size() > before / kShorter && --patience < 0) SlowCommits();
      before = places.size();
    }
    return error::BackupNotConverging(folder_->path(), report_.slowed);
  }

  // Returns how many of the keys are copied as of `view`, which is gone by
  // then, and with it the keyring.
  absl::StatusOr<size_t> CopyAtMoment(
      KeyedSnapshot view, absl::Span<const ChangedKeys::Place> places) {
    absl::StatusOr<BackupSlice> slice =
        BackupSlice::Of(view, places, kLastSlice);
    view = {};
    if (!slice.ok()) return slice.status();
    if (const absl::Status written = Write(*slice); !written.ok()) {
      return written;
    }
    return slice->looked();
  }

  // The last of `total` keys.
  absl::Status CopyPlaces(absl::Span<const ChangedKeys::Place> places,
                          size_t total) {
    while (!places.empty()) {
      const absl::Status told =
          Tell(Step::kFollow, total - places.size(), total);
      if (!told.ok()) return told;
      if (const absl::Status copied = CopySome(places); !copied.ok()) {
        return copied;
      }
    }
    return Tell(Step::kFollow, total, total);
  }

  void SlowCommits() {
    report_.slowed = std::clamp(2 * report_.slowed, kFirstWait, kLongestWait);
    queue_.Slow(report_.slowed);
  }

  // Only now is it a store.
  absl::Status Place(const LmdbStorage::Moment& moment) {
    const absl::Status finished =
        BackupFile::Finish(folder_->path(), moment.accumulator, on_assertion_);
    if (!finished.ok()) return FailedToOpen(finished);
    STATECPP_FAIL_POINT("backup.finished");
    std::error_code ignored;
    report_.bytes =
        std::filesystem::file_size(folder_->path() + "/data.mdb", ignored);
    const absl::Status synced = folder_->Sync();
    if (!synced.ok()) return FailedToWrite(synced);
    STATECPP_FAIL_POINT("backup.synced");
    const absl::Status placed = folder_->MoveIntoPlace();
    // What is in place is not to be removed, whatever its disk does.
    return absl::IsUnknown(placed) ? placed : FailedToWrite(placed);
  }

  LmdbStorage& storage_;
  CommitQueue& queue_;
  const BackupRequest& request_;
  void (*const on_assertion_)(const char* text);
  BackupFolder* folder_ = nullptr;
  BackupFile* file_ = nullptr;
  // Records and entries by expiry when it began.
  uint64_t keys_ = 0;
  BackupReport report_;
};

}  // namespace

absl::StatusOr<BackupReport> BackUp(LmdbStorage& storage, CommitQueue& queue,
                                    const BackupRequest& request,
                                    void (*on_assertion)(const char* text)) {
  if (absl::Status health = queue.health(); !health.ok()) return health;
  ChangedKeys changed(request.note_bytes);
  return Backup(storage, queue, request, on_assertion).Run(changed);
}

}  // namespace statecpp
