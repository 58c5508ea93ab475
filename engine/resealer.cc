// SPDX-License-Identifier: Apache-2.0
#include "engine/resealer.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "crypto/random.h"
#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/record.h"

namespace statecpp {
namespace {

// Of one step: few enough that neither its snapshot nor its commit holds up
// anybody.
constexpr size_t kSliceRecords = 64;
constexpr size_t kSliceBytes = size_t{4} << 20;
// Records that need nothing cost only a look.
constexpr size_t kSliceLooks = 4096;

constexpr absl::Duration kShortestPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Seconds(1);
// Between two looks for writers that hold a former keyring.
constexpr absl::Duration kWritersPause = absl::Milliseconds(5);
// After a pass that failed, as when the disk is full.
constexpr absl::Duration kRetryAfter = absl::Seconds(10);

// The record under the active key, or an error if it does not open.
absl::StatusOr<std::string> SealAnew(const Keyring& keyring,
                                     absl::string_view record_key,
                                     absl::string_view record) {
  const absl::StatusOr<RecordReader> reader =
      RecordReader::Open(keyring, record_key, record);
  if (!reader.ok()) return reader.status();
  const absl::StatusOr<std::string> value = reader->ReadValue();
  if (!value.ok()) return value.status();
  return SealRecord(keyring, SystemRandom(), record_key,
                    {.version = reader->version(),
                     .expires_ms = reader->expires_ms(),
                     .key = reader->key(),
                     .content_type = reader->content_type(),
                     .value = *value});
}

}  // namespace

Resealer::Resealer(const LmdbStorage& storage, CommitQueue& queue)
    : storage_(storage), queue_(queue), thread_([this] { Run(); }) {}

Resealer::~Resealer() {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  thread_.join();
}

void Resealer::Wake() {
  absl::MutexLock lock(&mutex_);
  woken_ = true;
}

Resealer::State Resealer::state() const {
  const uint64_t left = CountLeft();
  absl::MutexLock lock(&mutex_);
  State state = state_;
  state.left = left;
  state.running = state.running || woken_;
  return state;
}

bool Resealer::WaitUntilIdle(absl::Duration timeout) const {
  const auto idle = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !woken_ && !state_.running;
  };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&idle), timeout);
}

uint64_t Resealer::CountLeft() const {
  const uint32_t active = storage_.keyring().Get()->active().key_id;
  uint64_t left = 0;
  const Accumulator accumulator = storage_.accumulator();
  for (const auto& [key_id, records] : accumulator.records_by_key()) {
    if (key_id != active) left += records;
  }
  return left;
}

void Resealer::Run() {
  const auto something_to_do = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return woken_ || closing_;
  };
  for (;;) {
    bool failed;
    {
      absl::MutexLock lock(&mutex_);
      failed = !state_.error.ok();
      mutex_.AwaitWithTimeout(absl::Condition(&something_to_do),
                              failed ? kRetryAfter : absl::InfiniteDuration());
      if (closing_) return;
      woken_ = false;
      state_.running = true;
      state_.damaged = 0;
      state_.error = absl::OkStatus();
    }
    absl::Status passed = PassUntilDone();
    absl::MutexLock lock(&mutex_);
    state_.running = false;
    state_.error = std::move(passed);
    if (closing_) return;
  }
}

// Again while a pass leaves something that it could have taken, and while
// writes by who holds a former keyring may still bring more.
absl::Status Resealer::PassUntilDone() {
  for (;;) {
    // In this order: who lets go of a keyring has been counted before.
    const bool more_may_come = storage_.keyring().FormerMayStillSeal();
    const uint64_t before = CountLeft();
    if (before > 0) {
      if (absl::Status passed = Pass(); !passed.ok()) return passed;
    }
    if (more_may_come) {
      if (Pause(kWritersPause)) return error::StoreClosing();
    } else if (CountLeft() >= before) {
      return absl::OkStatus();
    }
  }
}

absl::Status Resealer::Pass() {
  {
    absl::MutexLock lock(&mutex_);
    state_.damaged = 0;
  }
  std::optional<std::string> from = "";
  while (from.has_value()) {
    const absl::Time begin = absl::Now();
    if (absl::Status health = queue_.health(); !health.ok()) return health;
    absl::StatusOr<Slice> slice = ReadSlice(*from);
    if (!slice.ok()) return slice.status();
    if (absl::Status committed = CommitSlice(*slice); !committed.ok()) {
      return committed;
    }
    from = std::move(slice->next);
    if (Pause(std::clamp(absl::Now() - begin, kShortestPause, kLongestPause))) {
      return error::StoreClosing();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Resealer::Slice> Resealer::ReadSlice(
    const std::string& from) const {
  const absl::StatusOr<KeyedSnapshot> view = storage_.keyring().Read(storage_);
  if (!view.ok()) return view.status();
  const uint32_t active = view->keyring->active().key_id;
  Slice slice;
  slice.keyring = view->keyring;
  size_t looks = 0;
  size_t bytes = 0;
  const absl::Status scanned = view->snapshot->Scan(
      Space::kRecords, from,
      [&](absl::string_view key, absl::string_view record) {
        if (++looks > kSliceLooks || slice.batches.size() == kSliceRecords ||
            bytes > kSliceBytes) {
          slice.next = std::string(key);
          return false;
        }
        const absl::StatusOr<RecordFrame> frame = RecordFrame::Parse(record);
        if (frame.ok() && frame->key_id == active) return true;
        absl::StatusOr<std::string> sealed =
            SealAnew(*view->keyring, key, record);
        if (!sealed.ok()) {
          ++slice.damaged;
          return true;
        }
        bytes += sealed->size();
        slice.batches.push_back(
            {{.space = Space::kRecords,
              .key = std::string(key),
              .expect = Expectation::Unchanged(RecordToken(record)),
              .verb = Change::Verb::kPut,
              .value = *std::move(sealed)}});
        return true;
      });
  if (!scanned.ok()) return scanned;
  return slice;
}

absl::Status Resealer::CommitSlice(const Slice& slice) {
  uint64_t done = 0;
  absl::Status status = absl::OkStatus();
  STATECPP_FAIL_POINT("reseal.sealed");
  std::vector<Verdict> verdicts = queue_.CommitAll(slice.batches);
  STATECPP_FAIL_POINT("reseal.durable");
  for (Verdict& verdict : verdicts) {
    switch (verdict.outcome) {
      case Verdict::Outcome::kCommitted:
        ++done;
        break;
      case Verdict::Outcome::kConflict:
        break;  // written meanwhile, under the active key
      case Verdict::Outcome::kRefused:
      case Verdict::Outcome::kUnknown:
        status = std::move(verdict.status);
        break;
    }
  }
  absl::MutexLock lock(&mutex_);
  state_.done += done;
  state_.damaged += slice.damaged;
  return status;
}

bool Resealer::Pause(absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&closing_), duration);
  return closing_;
}

}  // namespace statecpp
