// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_FINDING_TEXT_H_
#define STATECPP_CLI_FINDING_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/finding.h"

// Findings as `statecpp doctor` prints them. A terminal shows all of it as it
// is: what could move its cursor does not stand in it. Thread-safe.
namespace statecpp {

struct FindingGroup {
  // Whose view it is: "daprd's side".
  std::string title;
  Findings findings;
};

//   daprd's side
//     ok       /tmp/…/cpp.sock: a state store answers
//     FAULT    /tmp/…/old.sock: nobody answers on it
//              fix: rm /tmp/…/old.sock
//
//   1 fault, no warnings
//
// The last line is TotalText's.
std::string GroupText(const FindingGroup& group);
std::string TotalText(const std::vector<FindingGroup>& groups);

// One object: {"findings":[{"group":…,"level":"fault","kind":"stale-socket",
// "subject":…,"text":…,"fix":…}, …],"warnings":0,"faults":1}
std::string FindingsJson(const std::vector<FindingGroup>& groups);

// How many there are of a level.
long CountOf(const std::vector<FindingGroup>& groups, Finding::Level level);

// The command that mends what an error is about; `otherwise` if it names none.
// Never what stands in its text, which may quote anybody.
std::string CommandOf(const absl::Status& status, absl::string_view otherwise);

// `word` as a shell takes it for one.
std::string ShellWord(const std::string& word);

}  // namespace statecpp

#endif  // STATECPP_CLI_FINDING_TEXT_H_
