// SPDX-License-Identifier: Apache-2.0
#include "engine/write_plan.h"

#include <limits>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/keys.h"
#include "engine/record.h"

namespace statecpp {
namespace {

constexpr size_t kMaxKeySize = 64 << 10;
// content_type_len is 16 bits wide.
constexpr size_t kMaxContentTypeSize = std::numeric_limits<uint16_t>::max();
// LMDB holds values below 4 GiB; a record is the value and little more.
constexpr uint64_t kMaxValueSize = uint64_t{1} << 30;
constexpr absl::Duration kMaxTtl =
    absl::Seconds(std::numeric_limits<int32_t>::max());

absl::Status Validate(const WriteOp& op) {
  if (op.key.empty()) return error::EmptyKey();
  if (op.key.size() > kMaxKeySize) {
    return error::KeyTooLong(op.key.size(), kMaxKeySize);
  }
  if (op.content_type.size() > kMaxContentTypeSize) {
    return error::ContentTypeTooLong(op.content_type.size(),
                                     kMaxContentTypeSize);
  }
  if (op.value.size() > kMaxValueSize) {
    return error::ValueTooLarge(op.key, op.value.size(), kMaxValueSize);
  }
  if (op.ttl.has_value() &&
      (*op.ttl <= absl::ZeroDuration() || *op.ttl > kMaxTtl)) {
    return error::TtlOutOfRange(*op.ttl, kMaxTtl);
  }
  return absl::OkStatus();
}

uint64_t DrawVersion(Random& random) {
  if (STATECPP_SABOTAGE("reuse-etags")) return 7;
  uint64_t version = 0;
  random.Fill({reinterpret_cast<uint8_t*>(&version), sizeof(version)});
  return version;
}

}  // namespace

absl::StatusOr<WritePlan> WritePlan::Make(
    std::shared_ptr<const Keyring> keyring, Random& random, absl::Time now,
    std::vector<WriteOp> ops) {
  WritePlan plan(std::move(keyring));
  plan.steps_.reserve(ops.size());
  // The last op of each key is the one that is stored.
  absl::flat_hash_map<absl::string_view, size_t> targets;
  std::vector<size_t> last_op;
  for (size_t i = 0; i < ops.size(); ++i) {
    const WriteOp& op = ops[i];
    if (absl::Status valid = Validate(op); !valid.ok()) {
      return ops.size() > 1 ? error::TransactionRefused(valid, i, ops.size())
                            : valid;
    }
    const auto [target, is_new] = targets.try_emplace(op.key, last_op.size());
    if (is_new) {
      last_op.push_back(i);
      plan.targets_.push_back({RecordKey(plan.keyring_->paths(), op.key), 0});
    } else {
      last_op[target->second] = i;
    }
    if (op.precondition.kind != Precondition::Kind::kNone) {
      plan.conditional_ = true;
    }
    plan.steps_.push_back({op.key, op.precondition, target->second,
                           op.kind == WriteOp::Kind::kSet
                               ? std::optional<uint64_t>(DrawVersion(random))
                               : std::nullopt});
  }
  for (const size_t i : last_op) {
    plan.SealLast(random, now, ops[i], plan.steps_[i]);
  }
  return plan;
}

void WritePlan::SealLast(Random& random, absl::Time now, const WriteOp& op,
                         const Step& step) {
  Target& target = targets_[step.target];
  target.change = batch_.size();
  if (!step.version.has_value()) {
    batch_.push_back({.space = Space::kRecords,
                      .key = target.record_key,
                      .verb = Change::Verb::kDelete});
    return;
  }
  const int64_t expires_ms =
      op.ttl.has_value() ? absl::ToUnixMillis(now + *op.ttl) : 0;
  batch_.push_back({.space = Space::kRecords,
                    .key = target.record_key,
                    .verb = Change::Verb::kPut,
                    .value = SealRecord(*keyring_, random, target.record_key,
                                        {.version = *step.version,
                                         .expires_ms = expires_ms,
                                         .key = op.key,
                                         .content_type = op.content_type,
                                         .value = op.value})});
  if (op.ttl.has_value()) {
    batch_.push_back({.space = Space::kExpiry,
                      .key = ExpiryKey(now, absl::FromUnixMillis(expires_ms),
                                       target.record_key),
                      .verb = Change::Verb::kPut});
  }
}

absl::Status WritePlan::Decide(const KeyedSnapshot& view, absl::Time now) {
  struct State {
    bool known = false;
    std::optional<uint64_t> version;
  };
  std::vector<State> states(targets_.size());
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    State& state = states[step.target];
    if (step.precondition.kind != Precondition::Kind::kNone) {
      absl::Status holds = absl::OkStatus();
      if (!state.known) {
        absl::StatusOr<std::optional<uint64_t>> stored =
            ReadVersion(view, now, step);
        holds = stored.status();
        if (holds.ok()) state.version = *stored;
      }
      if (holds.ok()) holds = Check(step, state.version);
      if (!holds.ok()) {
        return steps_.size() > 1
                   ? error::TransactionRefused(holds, i, steps_.size())
                   : holds;
      }
    }
    state = {true, step.version};
  }
  return absl::OkStatus();
}

// Also makes what was read the expectation of the change.
absl::StatusOr<std::optional<uint64_t>> WritePlan::ReadVersion(
    const KeyedSnapshot& view, absl::Time now, const Step& step) {
  const Target& target = targets_[step.target];
  const absl::StatusOr<std::optional<absl::string_view>> record =
      view.snapshot->Get(Space::kRecords, target.record_key);
  if (!record.ok()) return record.status();
  Expectation& expect = batch_[target.change].expect;
  if (!record->has_value()) {
    expect = Expectation::Absent();
    return std::nullopt;
  }
  const absl::StatusOr<RecordReader> reader =
      RecordReader::Open(*view.keyring, target.record_key, **record);
  if (!reader.ok()) return reader.status();
  if (reader->key() != step.key) return error::HashCollision();
  expect = Expectation::Unchanged(RecordToken(**record));
  if (reader->IsExpired(now)) return std::nullopt;
  return reader->version();
}

absl::Status WritePlan::Check(const Step& step,
                              const std::optional<uint64_t>& version) const {
  const std::optional<ETag> found =
      version.has_value() ? std::optional<ETag>(ETag(*version)) : std::nullopt;
  if (step.precondition.kind == Precondition::Kind::kAbsent) {
    if (!found.has_value()) return absl::OkStatus();
    return error::AlreadyExists(step.key, *found);
  }
  if (found.has_value() && ETag::Parse(step.precondition.etag) == found) {
    return absl::OkStatus();
  }
  return error::ETagMismatch(step.key, step.precondition.etag, found);
}

std::vector<ETag> WritePlan::ETags() const {
  std::vector<ETag> etags;
  etags.reserve(steps_.size());
  for (const Step& step : steps_) {
    etags.push_back(ETag(step.version.value_or(0)));
  }
  return etags;
}

absl::string_view WritePlan::KeyOfChange(size_t change) const {
  for (const Step& step : steps_) {
    if (targets_[step.target].change == change) return step.key;
  }
  return "";
}

}  // namespace statecpp
