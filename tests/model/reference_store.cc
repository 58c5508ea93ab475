// SPDX-License-Identifier: Apache-2.0
#include "tests/model/reference_store.h"

#include <algorithm>

namespace statecpp {
namespace {

absl::Duration Distance(absl::Duration a, absl::Duration b) {
  return a > b ? a - b : b - a;
}

}  // namespace

ReferenceTime::ReferenceTime(Clock& clock, absl::Time mark)
    : clock_(&clock),
      mark_(mark),
      looked_at_(clock.Monotonic()),
      step_wall_(clock.Now()),
      step_monotonic_(looked_at_) {}

void ReferenceTime::Look() {
  const absl::Time wall = clock_->Now();
  const absl::Duration now = clock_->Monotonic();
  if (Distance(wall - step_wall_, now - step_monotonic_) > absl::Seconds(2)) {
    step_wall_ = wall;
    step_monotonic_ = now;
  }
  const absl::Time passed = mark_ + (now - looked_at_);
  const bool small_gap = wall - passed <= absl::Minutes(5);
  const bool in_step = now - step_monotonic_ >= absl::Hours(1);
  if (in_step && mark_ - wall >= absl::Hours(24)) {
    mark_ = wall;
  } else {
    mark_ = small_gap || in_step ? std::max(mark_, wall) : passed;
  }
  looked_at_ = now;
}

absl::Time ReferenceTime::ForVisibility() const {
  return std::max(clock_->Now(), mark_);
}

ReferenceStore::ReferenceStore(Clock& clock)
    : clock_(clock), time_(clock, clock.Now()), kept_mark_(clock.Now()) {}

bool ReferenceStore::IsLive(const Entry& entry) const {
  return !entry.item.expires.has_value() ||
         *entry.item.expires > time_.ForVisibility();
}

std::optional<Item> ReferenceStore::Get(absl::string_view key) const {
  const auto entry = entries_.find(key);
  if (entry == entries_.end() || !IsLive(entry->second)) return std::nullopt;
  return entry->second.item;
}

absl::StatusCode ReferenceStore::Validate(const WriteOp& op) {
  const bool good_ttl =
      !op.ttl.has_value() ||
      (*op.ttl > absl::ZeroDuration() && *op.ttl <= absl::Seconds(2147483647));
  return !op.key.empty() && op.key.size() <= 65536 &&
                 op.content_type.size() <= 65535 && good_ttl
             ? absl::StatusCode::kOk
             : absl::StatusCode::kInvalidArgument;
}

ReferenceStore::Answer ReferenceStore::Judge(
    absl::Span<const WriteOp> ops) const {
  for (size_t i = 0; i < ops.size(); ++i) {
    const absl::StatusCode code = Validate(ops[i]);
    if (code != absl::StatusCode::kOk) return {code, i};
  }
  // What earlier ops leave at a key: the text of no ETag anyone can know yet,
  // or nothing.
  std::map<std::string, std::optional<std::string>> left;
  for (size_t i = 0; i < ops.size(); ++i) {
    const WriteOp& op = ops[i];
    std::optional<std::string> etag;
    if (const auto earlier = left.find(op.key); earlier != left.end()) {
      etag = earlier->second;
    } else if (const std::optional<Item> item = Get(op.key)) {
      etag = item->etag.ToString();
    }
    const Precondition& precondition = op.precondition;
    const bool holds =
        precondition.kind == Precondition::Kind::kNone ||
        (precondition.kind == Precondition::Kind::kAbsent && !etag) ||
        (precondition.kind == Precondition::Kind::kMatch &&
         etag == precondition.etag);
    if (!holds) return {absl::StatusCode::kFailedPrecondition, i};
    left[op.key] = op.kind == WriteOp::Kind::kSet
                       ? std::optional<std::string>("written just now")
                       : std::nullopt;
  }
  return {};
}

void ReferenceStore::Apply(absl::Span<const WriteOp> ops,
                           absl::Span<const ETag> etags) {
  for (size_t i = 0; i < ops.size(); ++i) {
    const WriteOp& op = ops[i];
    if (op.kind == WriteOp::Kind::kDelete) {
      entries_.erase(op.key);
      continue;
    }
    Entry entry;
    entry.item.value = op.value;
    entry.item.etag = etags[i];
    entry.item.content_type = op.content_type;
    if (op.ttl.has_value()) {
      entry.item.expires = clock_.Now() + *op.ttl;
      entry.ttl = *op.ttl;
    }
    entries_[op.key] = std::move(entry);
  }
  if (!ops.empty()) kept_mark_ = time_.mark();
}

ReferenceStore::SweepBounds ReferenceStore::Sweep() {
  SweepBounds bounds;
  for (auto next = entries_.begin(); next != entries_.end();) {
    const auto here = next++;
    Entry& entry = here->second;
    if (!entry.item.expires.has_value() || *entry.item.expires > time_.mark()) {
      continue;
    }
    // The index rounds up by 64 s or, of a long time to live, by an eighth.
    const absl::Duration late = std::max(absl::Seconds(64), entry.ttl / 8);
    ++bounds.at_most;
    if (*entry.item.expires + late > time_.mark()) {
      entry.may_be_gone = true;
      continue;
    }
    if (!entry.may_be_gone) ++bounds.at_least;
    entries_.erase(here);
  }
  return bounds;
}

std::pair<uint64_t, uint64_t> ReferenceStore::RecordBounds() const {
  uint64_t may_be_gone = 0;
  for (const auto& [key, entry] : entries_) may_be_gone += entry.may_be_gone;
  return {entries_.size() - may_be_gone, entries_.size()};
}

void ReferenceStore::Reopen() { time_ = ReferenceTime(clock_, kept_mark_); }

}  // namespace statecpp
