// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/fault_proof.h"

#include <cstdlib>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

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

void FaultProof::Enter(const std::string& part, uint64_t seed,
                       absl::Duration duration) const {
  const char* const file = std::getenv("STATECPP_PROVE_LEDGER");
  if (file == nullptr) return;
  std::ofstream(file, std::ios::app) << absl::StrFormat(
      R"({"harness":"faults","part":"%s","seed":"%d","counts":{)"
      R"("operations":%d,"points":%d,"runs":%d,"second faults":%d,)"
      R"("done":%d,"refused":%d,"unknown":%d,"killed":%d},)"
      R"("wrong":{"lost":%d,"torn":%d,"false":%d},"seconds":%.1f})"
      "\n",
      part, seed, operations, points, runs, second_faults, done, refused,
      unknown, killed, lost, torn, wrong, absl::ToDoubleSeconds(duration));
}

absl::Duration ProveTime() {
  const char* const seconds = std::getenv("STATECPP_PROVE_SECONDS");
  return absl::Seconds(seconds == nullptr ? 0 : std::atoll(seconds));
}

}  // namespace statecpp
