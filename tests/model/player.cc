// SPDX-License-Identifier: Apache-2.0
#include "tests/model/player.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/model/agreement.h"

namespace statecpp {
namespace {

uint64_t BytesOf(const std::vector<WriteOp>& ops) {
  uint64_t bytes = 0;
  for (const WriteOp& op : ops) bytes += op.key.size() + op.value.size();
  return bytes;
}

}  // namespace

Player::Player(Setting setting)
    : setting_(std::move(setting)), store_(setting_.opening) {}

absl::Status Player::Play(const Tape& tape) {
  if (absl::Status made = store_.Make(); !made.ok()) return made;
  for (size_t i = 0; i < tape.steps.size(); ++i) {
    const absl::Status played = PlayStep(tape.steps[i]);
    if (!played.ok()) {
      return Wrong(absl::StrCat("step ", i + 1, ", ", ToText(tape.steps[i]),
                                " (", setting_.name, "): ", played.message()));
    }
    if (setting_.interval == 0 || (i + 1) % setting_.interval != 0) continue;
    if (absl::Status done = PlayBesides(); !done.ok()) {
      return Wrong(absl::StrCat("after step ", i + 1, " (", setting_.name,
                                "): ", done.message()));
    }
  }
  const absl::Status whole = store_.store().CheckIntegrity();
  return whole.ok() ? whole : Wrong("at the end the store is damaged", whole);
}

absl::Status Player::PlayStep(const Step& step) {
  answer_.clear();
  if (absl::Status done = Do(step); !done.ok()) return done;
  if (absl::Status same = Compare(); !same.ok()) return same;
  transcript_.push_back(absl::StrCat(
      answer_, " leaves ",
      absl::StrJoin(LiveItems(), ", ", [this](std::string* out, auto& entry) {
        absl::StrAppend(out, Shortened(entry.first), " = ",
                        Describe(entry.second));
      })));
  return absl::OkStatus();
}

absl::Status Player::PlayBesides() {
  const Step::Kind kind =
      setting_.besides[besides_++ % setting_.besides.size()];
  const Step step = {.kind = kind};
  absl::Status done = Do(step);
  if (done.ok()) done = Compare();
  if (done.ok()) return done;
  return Wrong(absl::StrCat(ToText(step), ": ", done.message()));
}

absl::Status Player::Do(const Step& step) {
  if (setting_.keeps_time) {
    if (absl::Status set = store_.SetSentinel(); !set.ok()) return set;
  }
  switch (step.kind) {
    case Step::Kind::kGet:
      return Get(step.text);
    case Step::Kind::kWrite:
      return WriteOne(step.writes.front());
    case Step::Kind::kTransact:
      return Transact(step.writes);
    case Step::Kind::kBulkWrite:
      return BulkWrite(step.writes);
    case Step::Kind::kDeleteWithPrefix:
      return DeleteWithPrefix(step.text);
    case Step::Kind::kListKeys:
      return Note(CompareListing(store_.store(), LiveItems(), step.text,
                                 step.page_size));
    case Step::Kind::kQuery:
      return Note(CompareQuery(store_.store(), LiveItems(), step));
    case Step::Kind::kAdvance:
      return store_.Advance(step.span);
    case Step::Kind::kJump:
      return store_.Jump(step.span);
    case Step::Kind::kJumpAndBack:
      return JumpAndBack(step.span);
    case Step::Kind::kSweep:
      return Sweep();
    case Step::Kind::kReopen:
      return store_.Reopen(step.span);
    case Step::Kind::kCrash:
      return store_.Crash();
    case Step::Kind::kRotate:
      return store_.Rotate();
    case Step::Kind::kRetire:
      return store_.Retire();
    case Step::Kind::kReplaceMasterKey:
      return store_.ReplaceMasterKey();
    case Step::Kind::kEncrypt:
      return store_.Encrypt();
    case Step::Kind::kCompact:
      return store_.Compact();
  }
  return Wrong("there is no such step");
}

absl::Status Player::Note(const absl::StatusOr<std::string>& answer) {
  if (answer.ok()) answer_ = *answer;
  return answer.status();
}

absl::Status Player::Get(const std::string& key) {
  const Store::ReadResult item = store_.store().Get(key);
  if (!key.empty()) return CompareItem(key, item, LiveItems());
  return CompareCodes(item.status(), absl::StatusCode::kInvalidArgument,
                      "a get without a key");
}

WriteOp Player::Resolve(const TapeWrite& write) const {
  static constexpr const char* kMalformed[] = {
      "", "1", "bad-etag", "0123456789abcdeF", "0123456789abcdef0"};
  static constexpr char kOfNobody[] = "0123456789abcdef";
  WriteOp op = write.op;
  switch (write.condition) {
    case TapeWrite::Condition::kNone:
      break;
    case TapeWrite::Condition::kAbsent:
      op.precondition = Precondition::Absent();
      break;
    case TapeWrite::Condition::kRight: {
      const std::optional<Item> item = store_.reference().Get(op.key);
      op.precondition = Precondition::MatchText(
          item.has_value() ? item->etag.ToString() : kOfNobody);
      break;
    }
    case TapeWrite::Condition::kStale:
      op.precondition = Precondition::MatchText(
          write.which < issued_.size()
              ? issued_[issued_.size() - 1 - write.which]
              : kOfNobody);
      break;
    case TapeWrite::Condition::kMalformed:
      op.precondition = Precondition::MatchText(
          kMalformed[write.which % std::size(kMalformed)]);
      break;
  }
  return op;
}

std::vector<WriteOp> Player::Resolve(
    const std::vector<TapeWrite>& writes) const {
  std::vector<WriteOp> ops;
  for (const TapeWrite& write : writes) ops.push_back(Resolve(write));
  return ops;
}

absl::StatusOr<ETag> Player::Call(const WriteOp& op) {
  if (op.kind == WriteOp::Kind::kSet) return store_.store().Set(op);
  const absl::Status deleted = store_.store().Delete(op);
  if (!deleted.ok()) return deleted;
  return ETag(0);
}

absl::Status Player::WriteOne(const TapeWrite& write) {
  const WriteOp op = Resolve(write);
  absl::StatusOr<ETag> etag = Call(op);
  while (store_.GrowsAt(etag.status())) etag = Call(op);
  return TakeOne(op, etag);
}

// What one write was answered, and what the reference says to that.
absl::Status Player::TakeOne(const WriteOp& op,
                             const absl::StatusOr<ETag>& etag) {
  absl::StrAppend(&answer_, absl::StatusCodeToString(etag.status().code()),
                  " ");
  const std::vector<WriteOp> ops = {op};
  const absl::Status same = CompareCodes(
      etag.status(), store_.reference().Judge(ops).code, "the write");
  if (!same.ok() || !etag.ok()) return same;
  return Take(ops, {*etag});
}

absl::Status Player::Take(const std::vector<WriteOp>& ops,
                          const std::vector<ETag>& etags) {
  for (size_t i = 0; i < ops.size(); ++i) {
    if (ops[i].kind == WriteOp::Kind::kDelete) {
      if (etags[i] != ETag(0)) return Wrong("a delete has an ETag");
      continue;
    }
    const std::string etag = etags[i].ToString();
    if (!numbers_.emplace(etag, issued_.size()).second) {
      return Wrong(absl::StrCat("ETag ", etag, " was issued twice"));
    }
    issued_.push_back(etag);
  }
  store_.reference().Apply(ops, etags);
  return absl::OkStatus();
}

absl::Status Player::Transact(const std::vector<TapeWrite>& writes) {
  const std::vector<WriteOp> ops = Resolve(writes);
  const ReferenceStore::Answer expected = store_.reference().Judge(ops);
  absl::StatusOr<std::vector<ETag>> etags = store_.store().Transact(ops);
  while (store_.GrowsAt(etags.status())) etags = store_.store().Transact(ops);
  answer_ = absl::StatusCodeToString(etags.status().code());
  const absl::Status same =
      CompareCodes(etags.status(), expected.code, "the transaction");
  if (!same.ok()) return same;
  if (etags.ok()) {
    if (etags->size() != ops.size()) return Wrong("ETags are missing");
    return Take(ops, *etags);
  }
  const std::string blamed =
      absl::StrCat("operation ", expected.op + 1, " of ", ops.size());
  absl::StrAppend(&answer_, " for ", blamed);
  if (ops.size() > 1 && !absl::StrContains(etags.status().message(), blamed)) {
    return Wrong(absl::StrCat(blamed, " is not named"), etags.status());
  }
  return absl::OkStatus();
}

std::vector<Store::WriteResult> Player::CallBulk(
    const std::vector<WriteOp>& ops) {
  if (!setting_.one_by_one) return store_.store().BulkWrite(ops);
  std::vector<Store::WriteResult> results;
  for (const WriteOp& op : ops) results.push_back(Call(op));
  return results;
}

absl::Status Player::BulkWrite(const std::vector<TapeWrite>& writes) {
  const std::vector<WriteOp> ops = Resolve(writes);
  // One that found the store full would be answered so for good.
  if (absl::Status made = store_.MakeRoom(4 * BytesOf(ops) + (1 << 16));
      !made.ok()) {
    return made;
  }
  const std::vector<Store::WriteResult> results = CallBulk(ops);
  if (results.size() != ops.size()) return Wrong("results are missing");
  for (size_t i = 0; i < ops.size(); ++i) {
    if (absl::Status taken = TakeOne(ops[i], results[i]); !taken.ok()) {
      return Wrong(absl::StrCat("operation ", i + 1, ": ", taken.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status Player::DeleteWithPrefix(const std::string& prefix) {
  const absl::StatusOr<int64_t> removed =
      store_.store().DeleteWithPrefix(prefix);
  if (prefix.empty() || prefix == "||") {
    return CompareCodes(removed.status(), absl::StatusCode::kInvalidArgument,
                        "deleting below no prefix");
  }
  if (!removed.ok()) return Wrong("deleting below a prefix", removed.status());
  const std::string start =
      absl::EndsWith(prefix, "||") ? prefix : prefix + "||";
  std::vector<WriteOp> ops;
  int64_t live = 0;
  for (const std::string& key : TapeKeys()) {
    if (!absl::StartsWith(key, start) ||
        absl::StrContains(absl::string_view(key).substr(start.size()), "||")) {
      continue;
    }
    live += store_.reference().Get(key).has_value();
    ops.push_back({.kind = WriteOp::Kind::kDelete, .key = key});
  }
  answer_ = absl::StrCat(*removed);
  if (*removed != live) {
    return Wrong(absl::StrCat(*removed, " removed and not ", live));
  }
  store_.reference().Apply(ops, std::vector<ETag>(ops.size(), ETag(0)));
  // Whether that committed anything is its own affair.
  return store_.SetSentinel();
}

absl::Status Player::JumpAndBack(absl::Duration span) {
  if (absl::Status done = store_.Jump(span); !done.ok()) return done;
  if (absl::Status same = Compare(); !same.ok()) return same;
  if (absl::Status done = store_.Advance(absl::Seconds(1)); !done.ok()) {
    return done;
  }
  return store_.Jump(-span);
}

absl::Status Player::Sweep() {
  const ReferenceStore::SweepBounds bounds = store_.reference().Sweep();
  const absl::StatusOr<int64_t> removed = store_.Sweep();
  if (!removed.ok()) return removed.status();
  if (*removed >= bounds.at_least && *removed <= bounds.at_most) {
    return absl::OkStatus();
  }
  return Wrong(absl::StrCat(*removed, " swept and not ", bounds.at_least,
                            " to ", bounds.at_most));
}

Items Player::LiveItems() const {
  Items items;
  for (const std::string& key : TapeKeys()) {
    if (std::optional<Item> item = store_.reference().Get(key)) {
      items.emplace(key, *std::move(item));
    }
  }
  items.emplace(PlayedStore::kSentinel,
                *store_.reference().Get(PlayedStore::kSentinel));
  return items;
}

std::string Player::Describe(const Item& item) const {
  const auto number = numbers_.find(item.etag.ToString());
  return absl::StrCat(
      number == numbers_.end() ? "" : absl::StrCat("ETag ", number->second),
      " ", ContentText(item));
}

absl::Status Player::Compare() {
  const absl::Status same = CompareAll(store_.store(), LiveItems());
  if (!same.ok()) return same;
  const absl::StatusOr<Store::Stats> stats = store_.store().GetStats();
  if (!stats.ok()) return Wrong("figures", stats.status());
  const auto [least, most] = store_.reference().RecordBounds();
  if (stats->records >= least && stats->records <= most) {
    return absl::OkStatus();
  }
  return Wrong(
      absl::StrCat(stats->records, " records, and not ", least, " to ", most));
}

}  // namespace statecpp
