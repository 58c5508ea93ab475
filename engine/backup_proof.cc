// SPDX-License-Identifier: Apache-2.0
#include "engine/backup_proof.h"

#include <memory>
#include <optional>

#include "engine/accumulator.h"
#include "engine/closed_store.h"
#include "engine/errors.h"

namespace statecpp {
namespace {

using Table = ClosedStore::Table;
using Tell = absl::FunctionRef<absl::Status(uint64_t done, uint64_t total)>;

// Tells how far the look is.
class Progress {
 public:
  Progress(Tell tell, uint64_t total) : tell_(tell), total_(total) {}

  // One more entry of that size. Returns stopped().
  const absl::Status& Add(uint64_t bytes) {
    // An entry takes a while, however small it is.
    constexpr uint64_t kBytesPerEntry = 4096;
    constexpr uint64_t kBytesPerTell = uint64_t{4} << 20;
    if (done_ == 0 || untold_ >= kBytesPerTell) {
      untold_ = 0;
      stopped_ = tell_(done_, total_);
    }
    ++done_;
    untold_ += bytes + kBytesPerEntry;
    return stopped_;
  }
  // What ended the look; OK: nothing.
  const absl::Status& stopped() const { return stopped_; }

  absl::Status Finish() const { return tell_(done_, total_); }

 private:
  const Tell tell_;
  const uint64_t total_;
  uint64_t done_ = 0;
  uint64_t untold_ = 0;
  absl::Status stopped_;
};

// Whoever went on with it would take what is there for good.
absl::Status Differs(BackupFolder& folder, absl::string_view reason) {
  folder.Discard();
  return error::BackupDiffers(folder.target(), reason);
}

// What cannot be read just now may be whole.
absl::Status NotReadBack(BackupFolder& folder, const absl::Status& cause) {
  return absl::IsDataLoss(cause)
             ? Differs(folder, cause.message())
             : error::BackupNotReadBack(folder.path(), cause);
}

absl::Status ProveRecords(const ClosedStore& copy, BackupFolder& folder,
                          Progress& progress) {
  const Accumulator& kept = copy.accumulator();
  Accumulator found(copy.keyring());
  const absl::Status opened = copy.Scan(
      Table::kRecords, [&](absl::string_view place, absl::string_view record) {
        const absl::Status& stopped = progress.Add(record.size());
        if (!stopped.ok()) return stopped;
        return copy.WithRecord(place, record, [&](const RecordContent&) {
          found.Replace(place, std::nullopt, record);
          return absl::OkStatus();
        });
      });
  if (!progress.stopped().ok()) return progress.stopped();
  if (!opened.ok()) return NotReadBack(folder, opened);
  if (found.SameRecords(kept)) return absl::OkStatus();
  return error::BackupNotOfAccumulator(
      folder.path(), error::RecordsDiffer(found.records(), kept.records(),
                                          /*damaged=*/0, kept.unreadable()));
}

absl::Status ProveExpiry(const ClosedStore& copy, uint64_t expected,
                         BackupFolder& folder, Progress& progress) {
  uint64_t entries = 0;
  const absl::Status counted =
      copy.Scan(Table::kExpiry, [&](absl::string_view key, absl::string_view) {
        ++entries;
        return progress.Add(key.size());
      });
  if (!progress.stopped().ok()) return progress.stopped();
  if (!counted.ok()) return NotReadBack(folder, counted);
  return entries == expected ? absl::OkStatus()
                             : Differs(folder, "its expiry entries are others");
}

}  // namespace

absl::StatusOr<BackupProof> ProveBackup(const LmdbStorage& storage,
                                        const LmdbStorage::Moment& moment,
                                        BackupFolder& folder,
                                        void (*on_assertion)(const char* text),
                                        Tell tell) {
  // No keyring is held longer than that.
  const absl::StatusOr<std::unique_ptr<ClosedStore>> copy =
      ClosedStore::OpenUnfinished(folder.path(),
                                  storage.keyring().Get()->root(),
                                  moment.accumulator, on_assertion);
  if (!copy.ok()) return NotReadBack(folder, copy.status());
  const Accumulator& kept = (*copy)->accumulator();
  Progress progress(tell, kept.records() + moment.expiry_entries);
  absl::Status proved = ProveRecords(**copy, folder, progress);
  if (proved.ok()) {
    proved = ProveExpiry(**copy, moment.expiry_entries, folder, progress);
  }
  if (proved.ok()) proved = progress.Finish();
  if (!proved.ok()) return proved;
  return BackupProof{.commit_seq = kept.commit_seq(),
                     .records = kept.records()};
}

}  // namespace statecpp
