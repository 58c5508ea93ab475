// SPDX-License-Identifier: Apache-2.0
#include "engine/commit_queue.h"

#include <chrono>
#include <utility>

#include "absl/synchronization/blocking_counter.h"
#include "absl/time/time.h"
#include "engine/errors.h"
#include "engine/fail_point.h"

namespace statecpp {
namespace {

size_t BytesOf(const Batch& batch) {
  size_t bytes = 0;
  for (const Change& change : batch) {
    bytes += change.key.size() + change.value.size();
  }
  return bytes;
}

Verdict Refused(absl::Status status) {
  return {.outcome = Verdict::Outcome::kRefused, .status = std::move(status)};
}

absl::Status CheckBounds(const CallBounds& bounds) {
  if (STATECPP_SABOTAGE("ignore-deadlines")) return absl::OkStatus();
  if (bounds.cancelled != nullptr &&
      bounds.cancelled->load(std::memory_order_relaxed)) {
    return error::Cancelled();
  }
  if (bounds.deadline != std::chrono::steady_clock::time_point::max() &&
      bounds.deadline <= std::chrono::steady_clock::now()) {
    return error::DeadlineExceeded();
  }
  return absl::OkStatus();
}

}  // namespace

CommitQueue::CommitQueue(Storage& storage, TrustedTime& time, Limits limits,
                         std::function<void(const absl::Status&)> on_failed)
    : storage_(storage),
      time_(time),
      limits_(limits),
      on_failed_(std::move(on_failed)),
      thread_([this] { Run(); }) {}

CommitQueue::~CommitQueue() {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  thread_.join();
}

void CommitQueue::Submit(const Batch& batch, CallBounds bounds, Done done) {
  const size_t bytes = BytesOf(batch);
  if (bounds.times != nullptr) bounds.times->submitted = CallTimes::Now();
  absl::Status refusal;
  {
    absl::MutexLock lock(&mutex_);
    if (closing_) {
      refusal = error::StoreClosing();
    } else if (!failure_.ok()) {
      refusal = failure_;
    } else if (waiting_.size() >= limits_.queued_batches ||
               (!waiting_.empty() &&
                waiting_bytes_ + bytes > limits_.queued_bytes)) {
      refusal = error::QueueFull(waiting_.size(), waiting_bytes_);
    } else {
      waiting_bytes_ += bytes;
      waiting_.push_back({&batch, bytes, bounds, std::move(done)});
    }
  }
  if (!refusal.ok()) done(Refused(std::move(refusal)));
}

std::vector<Verdict> CommitQueue::CommitAll(absl::Span<const Batch> batches) {
  std::vector<Verdict> verdicts(batches.size());
  absl::BlockingCounter left(static_cast<int>(batches.size()));
  for (size_t i = 0; i < batches.size(); ++i) {
    Submit(batches[i], {}, [&, i](Verdict verdict) {
      verdicts[i] = std::move(verdict);
      left.DecrementCount();
    });
  }
  left.Wait();
  return verdicts;
}

void CommitQueue::Slow(absl::Duration wait) {
  absl::MutexLock lock(&mutex_);
  wait_ = wait;
}

size_t CommitQueue::waiting() const {
  absl::MutexLock lock(&mutex_);
  return waiting_.size();
}

absl::Status CommitQueue::health() const {
  if (!failed_.load(std::memory_order_acquire)) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  return failure_;
}

void CommitQueue::Run() {
  for (;;) {
    // Before bounds are read and time is measured, and once for a group,
    // however often that is split.
    Pause();
    std::vector<Waiting> group = TakeGroup();
    if (group.empty()) return;
    std::vector<Waiting*> all;
    all.reserve(group.size());
    for (Waiting& waiting : group) all.push_back(&waiting);
    STATECPP_FAIL_POINT("commit.taken");
    CommitGroup(all);
    STATECPP_FAIL_POINT("commit.answered");
  }
}

void CommitQueue::Pause() {
  absl::MutexLock lock(&mutex_);
  const absl::Duration wait = wait_;
  const auto is_over = [this, wait]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return closing_ || wait_ != wait || wait_ == absl::ZeroDuration();
  };
  mutex_.AwaitWithTimeout(absl::Condition(&is_over), wait);
}

std::vector<CommitQueue::Waiting> CommitQueue::TakeGroup() {
  absl::MutexLock lock(&mutex_);
  const auto something_to_do = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !waiting_.empty() || closing_;
  };
  mutex_.Await(absl::Condition(&something_to_do));
  std::vector<Waiting> group;
  size_t bytes = 0;
  while (!waiting_.empty() && group.size() < limits_.group_batches &&
         (group.empty() ||
          bytes + waiting_.front().bytes <= limits_.group_bytes)) {
    bytes += waiting_.front().bytes;
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  waiting_bytes_ -= bytes;
  return group;
}

void CommitQueue::CommitGroup(absl::Span<Waiting* const> all) {
  std::vector<Waiting*> group;
  std::vector<const Batch*> batches;
  group.reserve(all.size());
  batches.reserve(all.size());
  for (Waiting* waiting : all) {
    absl::Status bounds = CheckBounds(waiting->bounds);
    if (!bounds.ok()) {
      waiting->done(Refused(std::move(bounds)));
      continue;
    }
    group.push_back(waiting);
    batches.push_back(waiting->batch);
  }
  if (group.empty()) return;

  if (STATECPP_SABOTAGE("answer-before-the-commit")) {
    // Whoever is answered lets go of the batch.
    std::vector<Batch> copies;
    for (const Batch* batch : batches) copies.push_back(*batch);
    for (size_t i = 0; i < group.size(); ++i) batches[i] = &copies[i];
    for (Waiting* waiting : group) waiting->done({});
    (void)storage_.Commit(batches, 0);
    return;
  }
  const absl::Status failure = health();
  const absl::StatusOr<std::vector<Verdict>> verdicts =
      failure.ok() ? Commit(group, batches) : failure;
  if (verdicts.ok()) {
    for (size_t i = 0; i < group.size(); ++i) group[i]->done((*verdicts)[i]);
    return;
  }
  const bool unknown = absl::IsUnknown(verdicts.status());
  if (failure.ok() && !unknown && group.size() > 1) {
    const absl::Span<Waiting* const> whole = group;
    CommitGroup(whole.first(group.size() / 2));
    CommitGroup(whole.subspan(group.size() / 2));
    return;
  }
  Verdict verdict = Refused(verdicts.status());
  if (!unknown) {
    for (Waiting* waiting : group) waiting->done(verdict);
    return;
  }
  verdict.outcome = Verdict::Outcome::kUnknown;
  // In this order: an answer makes its caller look at the store, and the owner
  // may end the process.
  const bool is_first = Poison(verdicts.status());
  for (Waiting* waiting : group) waiting->done(verdict);
  if (is_first && on_failed_ != nullptr) on_failed_(verdicts.status());
}

absl::StatusOr<std::vector<Verdict>> CommitQueue::Commit(
    absl::Span<Waiting* const> group, absl::Span<const Batch* const> batches) {
  const int64_t start = CallTimes::Now();
  absl::StatusOr<std::vector<Verdict>> verdicts =
      storage_.Commit(batches, absl::ToUnixMillis(time_.Confirmed()));
  const int64_t end = CallTimes::Now();
  commit_time_.Add(end - start);
  commit_writes_.Add(group.size());
  for (const Waiting* waiting : group) {
    if (waiting->bounds.times == nullptr) continue;
    waiting->bounds.times->taken = start;
    waiting->bounds.times->judged = end;
  }
  return verdicts;
}

void CommitQueue::Fail(const absl::Status& cause) {
  if (Poison(cause) && on_failed_ != nullptr) on_failed_(cause);
}

bool CommitQueue::Poison(const absl::Status& cause) {
  absl::MutexLock lock(&mutex_);
  if (!failure_.ok()) return false;
  if (STATECPP_SABOTAGE("go-on-after-a-failed-sync")) return true;
  failure_ = error::StoreFailed(error::ReasonOf(cause));
  failed_.store(true, std::memory_order_release);
  return true;
}

}  // namespace statecpp
