// SPDX-License-Identifier: Apache-2.0
#include "engine/fail_point.h"

#ifdef STATECPP_FAIL_POINTS

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace statecpp {
namespace {

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct Choice {
  std::string name;
  std::atomic<int> passages_left = 1;
};

// Read once: threads may not look at the environment while another changes it.
Choice& Chosen() {
  static Choice* const chosen = [] {
    auto* const choice = new Choice;
    const std::pair<std::string, std::string> parts = absl::StrSplit(
        Variable("STATECPP_FAIL_POINT"), absl::MaxSplits(':', 1));
    int passages = 1;
    if (!parts.second.empty() && !absl::SimpleAtoi(parts.second, &passages)) {
      std::fprintf(stderr, "STATECPP_FAIL_POINT wants NAME:NUMBER\n");
      std::abort();
    }
    choice->name = parts.first;
    choice->passages_left = passages;
    return choice;
  }();
  return *chosen;
}

}  // namespace

void PassFailPoint(absl::string_view name) {
  Choice& chosen = Chosen();
  if (chosen.name != name || chosen.passages_left.fetch_sub(1) != 1) return;
  std::raise(SIGKILL);
}

bool IsSabotaged(absl::string_view name) {
  static const std::string* const chosen =
      new std::string(Variable("STATECPP_SABOTAGE"));
  return *chosen == name;
}

}  // namespace statecpp

#endif  // STATECPP_FAIL_POINTS
