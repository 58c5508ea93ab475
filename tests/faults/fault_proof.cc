// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/fault_proof.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace statecpp {

void FaultProof::Add(const FaultLoop::Outcome& outcome) {
  if (absl::StartsWith(outcome.wrong, "lost")) {
    ++lost;
  } else if (absl::StartsWith(outcome.wrong, "torn")) {
    ++torn;
  } else if (!outcome.wrong.empty()) {
    ++wrong;
  }
  if (!outcome.reached) return;
  ++runs;
  second_faults += outcome.second_reached;
  switch (outcome.answer) {
    case Answer::kNone:
      ++killed;
      break;
    case Answer::kYes:
      ++done;
      break;
    case Answer::kNo:
      ++refused;
      break;
    case Answer::kMaybe:
      ++unknown;
      break;
  }
}

void FaultProof::Add(const FaultProof& other) {
  operations += other.operations;
  points += other.points;
  runs += other.runs;
  second_faults += other.second_faults;
  done += other.done;
  refused += other.refused;
  unknown += other.unknown;
  killed += other.killed;
  lost += other.lost;
  torn += other.torn;
  wrong += other.wrong;
}

std::string FaultProof::Describe() const {
  return absl::StrCat(runs, " runs (", done, " done, ", refused, " refused, ",
                      unknown, " unknown, ", killed, " killed)");
}

void FaultProof::ReportTo(LongRun& run) const {
  run.Count("operations", operations);
  run.Count("points", points);
  run.Count("runs", runs);
  run.Count("second faults", second_faults);
  run.Count("done", done);
  run.Count("refused", refused);
  run.Count("unknown", unknown);
  run.Count("killed", killed);
  run.Found("lost", lost);
  run.Found("torn", torn);
  run.Found("false", wrong);
}

}  // namespace statecpp
