// SPDX-License-Identifier: Apache-2.0
#include "engine/sweeper.h"

#include <algorithm>
#include <utility>

#include "engine/fail_point.h"
#include "engine/keys.h"
#include "engine/record.h"

namespace statecpp {
namespace {

// Read in one snapshot and committed together; small, so that neither holds up
// a writer.
constexpr size_t kSliceEntries = 256;

}  // namespace

Sweeper::Sweeper(const Storage& storage, const CurrentKeyring& keyring,
                 CommitQueue& queue, TrustedTime& time, absl::Duration interval)
    : storage_(storage),
      keyring_(keyring),
      queue_(queue),
      time_(time),
      interval_(interval),
      thread_([this] { Run(); }) {}

Sweeper::~Sweeper() {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  thread_.join();
}

void Sweeper::SetInterval(absl::Duration interval) {
  absl::MutexLock lock(&mutex_);
  // Not forgotten by a second call that comes before the thread wakes.
  if (interval != interval_) interval_changed_ = true;
  interval_ = interval;
}

void Sweeper::Run() {
  const auto woken = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return closing_ || interval_changed_;
  };
  for (;;) {
    {
      absl::MutexLock lock(&mutex_);
      interval_changed_ = false;
      const absl::Duration wait = interval_ > absl::ZeroDuration()
                                      ? interval_
                                      : absl::InfiniteDuration();
      mutex_.AwaitWithTimeout(absl::Condition(&woken), wait);
      if (closing_) return;
      if (interval_changed_) continue;
    }
    // What failed now is tried again at the next interval; a store that no
    // longer works tells its owner by itself.
    Sweep().IgnoreError();
  }
}

absl::StatusOr<int64_t> Sweeper::Sweep() {
  const absl::Time now = time_.Confirmed();
  int64_t removed = 0;
  std::optional<std::string> from = "";
  while (from.has_value()) {
    {
      absl::MutexLock lock(&mutex_);
      if (closing_) break;
    }
    if (absl::Status health = queue_.health(); !health.ok()) return health;
    absl::StatusOr<Slice> slice = ReadSlice(*from, now);
    if (!slice.ok()) return slice.status();
    const absl::StatusOr<int64_t> committed = CommitSlice(*slice);
    if (!committed.ok()) return committed.status();
    removed += *committed;
    swept_.fetch_add(*committed, std::memory_order_relaxed);
    from = std::move(slice->next);
  }
  return removed;
}

absl::StatusOr<absl::Duration> Sweeper::Lag() const {
  const absl::StatusOr<std::unique_ptr<Snapshot>> snapshot = storage_.Read();
  if (!snapshot.ok()) return snapshot.status();
  absl::Duration lag = absl::ZeroDuration();
  const absl::Status scanned = (*snapshot)->Scan(
      Space::kExpiry, "", [&](absl::string_view key, absl::string_view) {
        const std::optional<ExpiryEntry> entry = ParseExpiryKey(key);
        if (!entry.has_value()) return true;
        lag = std::max(lag, time_.Confirmed() - entry->due);
        return false;  // entries stand in the order of their times
      });
  if (!scanned.ok()) return scanned;
  return lag;
}

absl::StatusOr<Sweeper::Slice> Sweeper::ReadSlice(const std::string& from,
                                                  absl::Time now) {
  const absl::StatusOr<KeyedSnapshot> view = keyring_.Read(storage_);
  if (!view.ok()) return view.status();
  Slice slice;
  size_t seen = 0;
  const absl::Status scanned = view->snapshot->Scan(
      Space::kExpiry, from, [&](absl::string_view key, absl::string_view) {
        const std::optional<ExpiryEntry> entry = ParseExpiryKey(key);
        // Entries stand in the order of their times.
        if (entry.has_value() && entry->due > now) return false;
        if (++seen > kSliceEntries) {
          slice.next = std::string(key);
          return false;
        }
        bool removes_record = false;
        std::optional<Batch> batch =
            BatchFor(*view, key, entry.has_value() ? entry->record_key : "",
                     now, removes_record);
        if (batch.has_value()) {
          slice.batches.push_back(*std::move(batch));
          slice.removes_record.push_back(removes_record);
        }
        return true;
      });
  if (!scanned.ok()) return scanned;
  return slice;
}

// nullopt leaves the entry: its record cannot be read now.
std::optional<Batch> Sweeper::BatchFor(const KeyedSnapshot& view,
                                       absl::string_view expiry_key,
                                       absl::string_view record_key,
                                       absl::Time now,
                                       bool& removes_record) const {
  Change drop_entry = {.space = Space::kExpiry,
                       .key = std::string(expiry_key),
                       .verb = Change::Verb::kDelete};
  if (record_key.empty()) return Batch{std::move(drop_entry)};
  const absl::StatusOr<std::optional<absl::string_view>> record =
      view.snapshot->Get(Space::kRecords, record_key);
  if (!record.ok()) return std::nullopt;
  Change change = {.space = Space::kRecords, .key = std::string(record_key)};
  if (!record->has_value()) {
    change.expect = Expectation::Absent();
  } else {
    const absl::StatusOr<RecordReader> reader =
        RecordReader::Open(*view.keyring, record_key, **record);
    if (!reader.ok()) return std::nullopt;
    change.expect = Expectation::Unchanged(RecordToken(**record));
    removes_record = reader->IsExpired(now) || STATECPP_SABOTAGE("sweep-all");
    if (removes_record) change.verb = Change::Verb::kDelete;
  }
  return Batch{std::move(change), std::move(drop_entry)};
}

absl::StatusOr<int64_t> Sweeper::CommitSlice(const Slice& slice) {
  STATECPP_FAIL_POINT("sweep.read");
  const std::vector<Verdict> verdicts = queue_.CommitAll(slice.batches);
  STATECPP_FAIL_POINT("sweep.durable");
  int64_t removed = 0;
  for (size_t i = 0; i < verdicts.size(); ++i) {
    switch (verdicts[i].outcome) {
      case Verdict::Outcome::kCommitted:
        if (slice.removes_record[i]) ++removed;
        break;
      case Verdict::Outcome::kConflict:
        break;  // changed meanwhile; the next sweep looks again
      case Verdict::Outcome::kRefused:
      case Verdict::Outcome::kUnknown:
        return verdicts[i].status;
    }
  }
  return removed;
}

}  // namespace statecpp
