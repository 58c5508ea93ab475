// SPDX-License-Identifier: Apache-2.0
#include "engine/overlay.h"

#include "engine/fail_point.h"
#include "engine/record.h"

namespace statecpp {
namespace {

using WriteTransaction = LmdbEnvironment::WriteTransaction;

// Pages that one change may touch beside those of its value: one for each level
// of both trees, and some for the list of free pages.
constexpr uint64_t kPagesPerChange = 6;
constexpr uint64_t kPagesPerCommit = 32;

bool Holds(const Expectation& expect,
           const std::optional<absl::string_view>& current) {
  if (STATECPP_SABOTAGE("lose-updates")) return true;
  switch (expect.kind) {
    case Expectation::Kind::kAny:
      return true;
    case Expectation::Kind::kAbsent:
      return !current.has_value();
    case Expectation::Kind::kUnchanged:
      return current.has_value() && RecordToken(*current) == expect.token;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::optional<absl::string_view>> Overlay::Current(
    const WriteTransaction& txn, const Change& change) const {
  const auto pending = values_.find({change.space, change.key});
  if (pending != values_.end()) return pending->second;
  return txn.Get(TableOf(change.space), change.key);
}

absl::StatusOr<Verdict> Overlay::Judge(const WriteTransaction& txn,
                                       const Batch& batch) const {
  for (size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].expect.kind == Expectation::Kind::kAny) continue;
    const absl::StatusOr<std::optional<absl::string_view>> current =
        Current(txn, batch[i]);
    if (!current.ok()) return current.status();
    if (!Holds(batch[i].expect, *current)) {
      return Verdict{.outcome = Verdict::Outcome::kConflict, .conflict = i};
    }
  }
  return Verdict{};
}

void Overlay::Add(const Batch& batch) {
  for (const Change& change : batch) {
    if (change.verb == Change::Verb::kKeep) continue;
    if (&change != &batch.front() && change.space == Space::kRecords &&
        STATECPP_SABOTAGE("tear-transactions")) {
      continue;
    }
    std::optional<absl::string_view>& pending =
        values_[{change.space, change.key}];
    if (change.verb == Change::Verb::kPut) {
      pending = change.value;
    } else {
      pending = std::nullopt;
    }
  }
}

bool Overlay::HasPuts() const {
  for (const auto& [place, value] : values_) {
    if (value.has_value()) return true;
  }
  return false;
}

uint64_t Overlay::PagesFor(uint64_t page_size) const {
  uint64_t pages = kPagesPerCommit;
  for (const auto& [place, value] : values_) {
    pages += kPagesPerChange;
    if (value.has_value()) pages += value->size() / page_size + 1;
  }
  return pages;
}

absl::Status Overlay::WriteOut(WriteTransaction& txn,
                               Accumulator& accumulator) const {
  for (const auto& [place, value] : values_) {
    const auto& [space, key] = place;
    const absl::StatusOr<std::optional<absl::string_view>> former =
        txn.Get(TableOf(space), key);
    if (!former.ok()) return former.status();
    if (space == Space::kRecords && !STATECPP_SABOTAGE("count-no-records")) {
      accumulator.Replace(key, *former, value);
    }
    absl::Status written = absl::OkStatus();
    if (value.has_value() && *former != value) {
      written = txn.Put(TableOf(space), key, *value);
    } else if (!value.has_value() && former->has_value() &&
               !STATECPP_SABOTAGE("keep-the-deleted")) {
      written = txn.Delete(TableOf(space), key);
    }
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

void Overlay::NoteChanges(ChangedKeys& changed) const {
  for (const auto& [place, value] : values_) {
    changed.Add(place.first, place.second);
  }
}

}  // namespace statecpp
