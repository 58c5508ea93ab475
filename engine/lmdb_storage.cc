// SPDX-License-Identifier: Apache-2.0
//
// How a group is committed. The invariants, in the order they are kept:
//
//   1. Batches are judged in order, each against the state that the ones before
//      it leave: the file, overlaid with what they change. A batch that fails
//      leaves no trace, so there is nothing to undo.
//   2. Only the last change of each key is written, in key order: a commit
//      costs what its distinct pages cost, and neighbours share pages.
//   3. Every record that is replaced is subtracted from the accumulator and
//      every new one added, in the transaction that does it.
//   4. Nothing outside the transaction changes before it is durable.
//
// (A nested transaction for each batch would do as well, and would copy every
// dirty page once more for each of them.)
#include "engine/lmdb_storage.h"

#include <chrono>

#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/lmdb_file.h"
#include "engine/overlay.h"

namespace statecpp {
namespace {

using Table = LmdbEnvironment::Table;
using WriteTransaction = LmdbEnvironment::WriteTransaction;

// A look at the table of readers costs about a microsecond.
constexpr int kCommitsPerReaderCheck = 64;

class LmdbSnapshot final : public Snapshot {
 public:
  explicit LmdbSnapshot(LmdbEnvironment::ReadTransaction txn)
      : txn_(std::move(txn)) {}

  absl::StatusOr<std::optional<absl::string_view>> Get(
      Space space, absl::string_view key) const override {
    return txn_.Get(TableOf(space), key);
  }

  absl::Status Scan(
      Space space, absl::string_view from,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>
          visit) const override {
    return txn_.Scan(TableOf(space), from, visit);
  }

 private:
  const LmdbEnvironment::ReadTransaction txn_;
};

// Of the few pages that making or opening a store writes, only the disk can
// have too little room.
absl::Status InFullWords(const absl::Status& status, absl::string_view folder) {
  if (absl::IsResourceExhausted(status) &&
      !error::HttpCode(status).has_value()) {
    return error::DiskFull(folder);
  }
  return status;
}

// Deletes in a full store may have gone past max_size, into the reserve.
absl::Status CheckFits(const std::string& folder, uint64_t used,
                       uint64_t max_size) {
  return used > Reserve::MapSize(max_size)
             ? error::MaxSizeTooSmall(folder, max_size, used)
             : absl::OkStatus();
}

}  // namespace

absl::Status LmdbStorage::Make(const std::string& folder,
                               absl::string_view header, const Keyring& keyring,
                               int64_t now_ms, Random& random) {
  // The map of the maker alone; whoever opens the store chooses another.
  constexpr uint64_t kMapSize = uint64_t{1} << 20;
  absl::StatusOr<std::unique_ptr<LmdbEnvironment>> environment =
      LmdbEnvironment::Open(folder, kMapSize, nullptr,
                            LmdbEnvironment::Access::kMake);
  if (!environment.ok()) return environment.status();
  absl::StatusOr<WriteTransaction> txn = (*environment)->BeginWrite();
  if (!txn.ok()) return txn.status();
  Accumulator accumulator(keyring);
  accumulator.KeepHighWater(now_ms);
  absl::Status written = txn->Put(Table::kMeta, kHeaderKey, header);
  if (written.ok()) {
    written = txn->Put(Table::kMeta, kAccumulatorKey,
                       accumulator.SealNextCommit(random));
  }
  if (written.ok()) written = txn->Commit();
  return InFullWords(written, folder);
}

absl::StatusOr<std::unique_ptr<LmdbStorage>> LmdbStorage::Open(
    const std::string& folder, uint64_t max_size, Random& random,
    void (*on_assertion)(const char* text), Unlock unlock) {
  absl::StatusOr<std::unique_ptr<LmdbEnvironment>> environment =
      LmdbEnvironment::Open(folder, Reserve::MapSize(max_size), on_assertion);
  if (!environment.ok()) return environment.status();

  std::shared_ptr<const Keyring> keyring;
  std::optional<Accumulator> accumulator;
  {
    absl::StatusOr<LmdbEnvironment::ReadTransaction> txn =
        (*environment)->BeginRead();
    if (!txn.ok()) return txn.status();
    const absl::StatusOr<std::optional<absl::string_view>> header =
        txn->Get(Table::kMeta, kHeaderKey);
    if (!header.ok()) return header.status();
    if (!header->has_value()) return error::HeaderDamaged(folder, "missing");
    absl::StatusOr<std::shared_ptr<const Keyring>> unlocked = unlock(**header);
    if (!unlocked.ok()) return unlocked.status();
    keyring = *std::move(unlocked);

    const absl::StatusOr<std::optional<absl::string_view>> sealed =
        txn->Get(Table::kMeta, kAccumulatorKey);
    if (!sealed.ok()) return sealed.status();
    accumulator = Accumulator::Open(*keyring, sealed->value_or(""));
    if (!accumulator.has_value()) {
      return error::HeaderDamaged(folder, "its accumulator does not open");
    }

    const absl::StatusOr<uint64_t> live = txn->LivePages();
    if (!live.ok()) return live.status();
    const uint64_t used = *live * (*environment)->page_size();
    if (const absl::Status fits = CheckFits(folder, used, max_size);
        !fits.ok()) {
      return fits;
    }
  }
  std::unique_ptr<LmdbStorage> storage(
      new LmdbStorage(*std::move(environment), std::move(keyring),
                      *std::move(accumulator), max_size, folder, random));
  if (const absl::Status counted = storage->CommitOpen(); !counted.ok()) {
    return counted;
  }
  return storage;
}

absl::Status LmdbStorage::CommitOpen() {
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<WriteTransaction> txn = environment_->BeginWrite();
  if (!txn.ok()) return txn.status();
  accumulator_.CountOpen();
  absl::Status written = txn->Put(Table::kMeta, kAccumulatorKey,
                                  accumulator_.SealNextCommit(random_));
  STATECPP_FAIL_POINT("open.before-commit");
  if (written.ok()) written = txn->Commit();
  STATECPP_FAIL_POINT("open.durable");
  Publish();
  return InFullWords(written, path_);
}

absl::StatusOr<std::unique_ptr<Snapshot>> LmdbStorage::Read() const {
  absl::StatusOr<LmdbEnvironment::ReadTransaction> txn =
      environment_->BeginRead();
  if (!txn.ok()) return txn.status();
  return std::make_unique<LmdbSnapshot>(*std::move(txn));
}

// A process that was killed while it read keeps its snapshot's pages from being
// used again: the file would grow with each commit, and the store be full.
absl::StatusOr<std::vector<Verdict>> LmdbStorage::Commit(
    absl::Span<const Batch* const> group, int64_t confirmed_ms) {
  absl::MutexLock lock(&mutex_);
  if (--commits_until_reader_check_ < 0) {
    ClearReaders();
    commits_until_reader_check_ = kCommitsPerReaderCheck;
  }
  absl::StatusOr<std::vector<Verdict>> verdicts =
      CommitOnce(group, confirmed_ms);
  if (absl::IsResourceExhausted(verdicts.status()) && ClearReaders() > 0) {
    return CommitOnce(group, confirmed_ms);
  }
  return verdicts;
}

absl::StatusOr<std::vector<Verdict>> LmdbStorage::CommitOnce(
    absl::Span<const Batch* const> group, int64_t confirmed_ms) {
  absl::StatusOr<WriteTransaction> txn = environment_->BeginWrite();
  if (!txn.ok()) return txn.status();

  std::vector<Verdict> verdicts;
  verdicts.reserve(group.size());
  Overlay overlay;
  for (const Batch* batch : group) {
    absl::StatusOr<Verdict> verdict = overlay.Judge(*txn, *batch);
    if (!verdict.ok()) return verdict.status();
    if (verdict->outcome == Verdict::Outcome::kCommitted) {
      overlay.Add(*batch);
    }
    verdicts.push_back(*std::move(verdict));
  }
  if (overlay.empty()) return verdicts;

  const bool puts = overlay.HasPuts();
  const absl::StatusOr<uint64_t> before = txn->LivePages();
  if (!before.ok()) return before.status();
  absl::Status done = absl::OkStatus();
  if (puts) {
    done = reserve_.PrepareDisk(overlay.PagesFor(environment_->page_size()),
                                *before);
  }
  Accumulator accumulator = accumulator_;
  accumulator.KeepHighWater(confirmed_ms);
  if (done.ok()) done = overlay.WriteOut(*txn, accumulator);
  if (done.ok()) {
    done = txn->Put(Table::kMeta, kAccumulatorKey,
                    accumulator.SealNextCommit(random_));
  }
  if (done.ok() && puts) {
    const absl::StatusOr<uint64_t> after = txn->LivePages();
    done = after.ok() ? reserve_.CheckMap(*before, *after) : after.status();
  }
  STATECPP_FAIL_POINT("commit.written");
  if (done.ok()) {
    const auto start = std::chrono::steady_clock::now();
    done = txn->Commit();
    sync_time_.AddSince(start);
    STATECPP_FAIL_POINT("commit.durable");
    // Only a full disk has its own words by now. Pages were on their way to it,
    // perhaps in a sync: nothing of the group is tried again.
    if (absl::IsResourceExhausted(done) && error::HttpCode(done).has_value()) {
      for (Verdict& verdict : verdicts) {
        if (verdict.outcome != Verdict::Outcome::kCommitted) continue;
        verdict = {.outcome = Verdict::Outcome::kRefused, .status = done};
      }
      return verdicts;
    }
  }
  if (!done.ok()) {
    // LMDB's words for a full map, where the check before did not see it come:
    // free pages too scattered for a large value, or deletes past the reserve.
    if (absl::IsResourceExhausted(done) && !error::HttpCode(done).has_value()) {
      return error::StoreFull(*before * environment_->page_size(),
                              reserve_.max_size());
    }
    return done;
  }
  accumulator_ = std::move(accumulator);
  if (changed_ != nullptr && !STATECPP_SABOTAGE("note-no-changes")) {
    overlay.NoteChanges(*changed_);
  }
  Publish();
  return verdicts;
}

Accumulator LmdbStorage::accumulator() const {
  absl::MutexLock lock(&mutex_);
  return accumulator_;
}

uint64_t LmdbStorage::max_size() const {
  absl::MutexLock lock(&mutex_);
  return reserve_.max_size();
}

absl::StatusOr<uint64_t> LmdbStorage::UsedBytes() const {
  absl::StatusOr<LmdbEnvironment::ReadTransaction> txn =
      environment_->BeginRead();
  if (!txn.ok()) return txn.status();
  absl::StatusOr<uint64_t> pages = txn->LivePages();
  if (!pages.ok()) return pages.status();
  return *pages * environment_->page_size();
}

absl::StatusOr<std::string> LmdbStorage::ReadHeader() const {
  absl::StatusOr<LmdbEnvironment::ReadTransaction> txn =
      environment_->BeginRead();
  if (!txn.ok()) return txn.status();
  const absl::StatusOr<std::optional<absl::string_view>> header =
      txn->Get(Table::kMeta, kHeaderKey);
  if (!header.ok()) return header.status();
  return std::string(header->value_or(""));
}

absl::Status LmdbStorage::ChangeHeader(HeaderChange change) {
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<WriteTransaction> txn = environment_->BeginWrite();
  if (!txn.ok()) return txn.status();
  const absl::StatusOr<std::optional<absl::string_view>> header =
      txn->Get(Table::kMeta, kHeaderKey);
  if (!header.ok()) return header.status();
  absl::StatusOr<NewHeader> next = change(header->value_or(""), accumulator_);
  if (!next.ok()) return next.status();

  Accumulator accumulator = accumulator_;
  absl::Status written = txn->Put(Table::kMeta, kHeaderKey, next->bytes);
  if (written.ok()) {
    written = txn->Put(Table::kMeta, kAccumulatorKey,
                       accumulator.SealNextCommit(random_));
  }
  STATECPP_FAIL_POINT("header.before-commit");
  if (written.ok()) written = txn->Commit();
  STATECPP_FAIL_POINT("header.durable");
  if (!written.ok()) return InFullWords(written, path_);
  // Before the former keyring may go.
  accumulator.UseKeyring(*next->keyring);
  accumulator_ = std::move(accumulator);
  // The copy refers to the former keyring as well.
  Publish();
  keyring_.Replace(std::move(next->keyring));
  return absl::OkStatus();
}

absl::Status LmdbStorage::GrowTo(uint64_t max_size) {
  // Not both locks at once: Commit takes this one before the map's.
  if (max_size <= this->max_size()) {
    const absl::StatusOr<uint64_t> used = UsedBytes();
    return used.ok() ? CheckFits(path_, *used, max_size) : used.status();
  }
  const absl::Status grown = environment_->Grow(Reserve::MapSize(max_size));
  if (!grown.ok()) return grown;
  absl::MutexLock lock(&mutex_);
  // Another call may have gone further meanwhile.
  if (max_size > reserve_.max_size()) reserve_.SetMaxSize(max_size);
  Publish();
  return absl::OkStatus();
}

bool LmdbStorage::Follow(ChangedKeys* changed) {
  absl::MutexLock lock(&mutex_);
  if (changed_ != nullptr) return false;
  changed_ = changed;
  return true;
}

void LmdbStorage::StopFollowing() {
  absl::MutexLock lock(&mutex_);
  changed_ = nullptr;
}

absl::StatusOr<LmdbStorage::Moment> LmdbStorage::TakeMoment() {
  // No commit comes between the snapshot and the keys that led to it.
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<LmdbEnvironment::ReadTransaction> txn =
      environment_->BeginRead();
  if (!txn.ok()) return txn.status();
  const absl::StatusOr<std::optional<absl::string_view>> header =
      txn->Get(Table::kMeta, kHeaderKey);
  if (!header.ok()) return header.status();
  const absl::StatusOr<std::optional<absl::string_view>> accumulator =
      txn->Get(Table::kMeta, kAccumulatorKey);
  if (!accumulator.ok()) return accumulator.status();
  const absl::StatusOr<uint64_t> entries = txn->CountEntries(Table::kExpiry);
  if (!entries.ok()) return entries.status();
  Moment moment = {.view = {},
                   .header = std::string(header->value_or("")),
                   .accumulator = std::string(accumulator->value_or("")),
                   .expiry_entries = *entries,
                   .changed = changed_->Take()};
  moment.view = {.snapshot = std::make_unique<LmdbSnapshot>(*std::move(txn)),
                 .keyring = keyring_.Get()};
  return moment;
}

absl::Status LmdbStorage::CheckFiles() const {
  if (absl::Status same = lock_file_.Check(); !same.ok()) return same;
  // No commit changes a meta page in here.
  absl::MutexLock lock(&mutex_);
  const std::string file = path_ + "/data.mdb";
  if (absl::Status same = CheckSameFile(file, environment_->descriptor());
      !same.ok()) {
    return same;
  }
  return CheckLmdbFile(file);
}

absl::StatusOr<WalkOutcome> LmdbStorage::Walk(WalkOptions options,
                                              WalkFound found) const {
  // No commit takes the snapshot's roots away meanwhile.
  absl::ReleasableMutexLock lock(&mutex_);
  const auto txn = environment_->BeginRead();
  if (!txn.ok()) return txn.status();
  absl::StatusOr<PageCheck> pages = PageCheck::Of(*txn);
  if (!pages.ok()) return pages.status();
  lock.Release();
  options.findings = FindPageDamage(*pages, found);
  // The root key stays; the header with the data keys is that of the snapshot.
  return WalkStore(*txn, keyring_.Get()->root(), options, found,
                   [](uint64_t, uint64_t) {});
}

}  // namespace statecpp
