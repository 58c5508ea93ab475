// SPDX-License-Identifier: Apache-2.0
#include "engine/store_repair.h"

#include <optional>

#include "absl/status/statusor.h"
#include "crypto/random.h"
#include "engine/keys.h"
#include "engine/meta_table.h"
#include "engine/record.h"

namespace statecpp {
namespace {

using Kind = WalkFinding::Kind;
using Table = LmdbEnvironment::Table;

}  // namespace

void StoreRepair::Note(const WalkFinding& finding) {
  switch (finding.kind) {
    case Kind::kTree:
    case Kind::kHeader:
    case Kind::kHidden:
      possible_ = false;
      return;
    case Kind::kMeta:
      return;
    case Kind::kDamaged:
    case Kind::kForeign:
      if (!options_.drop_damaged) {
        possible_ = false;
        return;
      }
      drops_.push_back(finding.place);
      break;
    case Kind::kExpiry:
      to_index_.push_back(finding.place);
      break;
    case Kind::kAccumulator:
    case Kind::kRecords:
      break;
  }
  ++mendable_;
}

absl::Status StoreRepair::Accept(LmdbEnvironment& environment,
                                 WalkOutcome& walked) const {
  if (!possible_ || !walked.report.complete || mendable_ == 0) {
    return absl::OkStatus();
  }
  absl::StatusOr<LmdbEnvironment::WriteTransaction> txn =
      environment.BeginWrite();
  if (!txn.ok()) return txn.status();
  absl::Status done = Write(*txn, walked);
  if (done.ok()) done = txn->Commit();
  if (!done.ok()) return done;
  walked.report.accepted = true;
  walked.report.mended = mendable_;
  walked.report.dropped = drops_.size();
  walked.report.indexed = to_index_.size();
  return absl::OkStatus();
}

absl::Status StoreRepair::Write(LmdbEnvironment::WriteTransaction& txn,
                                WalkOutcome& walked) const {
  for (const std::string& place : drops_) {
    const absl::StatusOr<std::optional<absl::string_view>> record =
        txn.Get(Table::kRecords, place);
    if (!record.ok()) return record.status();
    // Takes it off again, where it has a term.
    walked.counted->Replace(place, *record, std::nullopt);
    absl::Status dropped = txn.Delete(Table::kRecords, place);
    if (!dropped.ok()) return dropped;
  }
  for (const std::string& place : to_index_) {
    const absl::StatusOr<std::optional<absl::string_view>> record =
        txn.Get(Table::kRecords, place);
    if (!record.ok()) return record.status();
    const absl::StatusOr<RecordReader> reader =
        RecordReader::Open(*walked.keyring, place, record->value_or(""));
    if (!reader.ok()) return reader.status();
    absl::Status indexed =
        txn.Put(Table::kExpiry,
                ExpiryKey(options_.now,
                          absl::FromUnixMillis(reader->expires_ms()), place),
                "");
    if (!indexed.ok()) return indexed;
  }
  Accumulator accepted = walked.kept.value_or(Accumulator(*walked.keyring));
  accepted.Accept(*walked.counted);
  return txn.Put(Table::kMeta, kAccumulatorKey,
                 accepted.SealNextCommit(SystemRandom()));
}

}  // namespace statecpp
