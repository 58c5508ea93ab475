// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_FINDING_H_
#define STATECPP_CLI_FINDING_H_

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace statecpp {

// What `statecpp doctor` has to say of one thing that it looked at.
//
//   findings.push_back(Fault("stale-socket", path, "nobody answers on it",
//                            "rm " + path));
struct Finding {
  enum class Level {
    kOk,
    kWarning,  // it works, and may not for long, or not for everybody
    kFault,    // it does not work
  };

  Level level;
  // The row of docs/operations.md, which is the same in every version.
  std::string kind;
  // What was looked at: a path, or a component.
  std::string subject;
  // What was found there; no full stop.
  std::string text;
  // A command, or a line of YAML; empty where nothing is wrong.
  std::string fix = "";

  bool operator==(const Finding&) const = default;
};

using Findings = std::vector<Finding>;

inline Finding Fine(std::string kind, std::string subject, std::string text) {
  return {Finding::Level::kOk, std::move(kind), std::move(subject),
          std::move(text)};
}

inline Finding Warning(std::string kind, std::string subject, std::string text,
                       std::string fix) {
  return {Finding::Level::kWarning, std::move(kind), std::move(subject),
          std::move(text), std::move(fix)};
}

inline Finding Fault(std::string kind, std::string subject, std::string text,
                     std::string fix) {
  return {Finding::Level::kFault, std::move(kind), std::move(subject),
          std::move(text), std::move(fix)};
}

inline void Append(Findings more, Findings& findings) {
  std::move(more.begin(), more.end(), std::back_inserter(findings));
}

inline long Count(const Findings& findings, Finding::Level level) {
  return std::count_if(
      findings.begin(), findings.end(),
      [level](const Finding& finding) { return finding.level == level; });
}

}  // namespace statecpp

#endif  // STATECPP_CLI_FINDING_H_
