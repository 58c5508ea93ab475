// SPDX-License-Identifier: Apache-2.0
#include "bench/wire/operation_mix.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace statecpp::wire {
namespace {

constexpr uint32_t kMaxParts = 1'000'000;

absl::Status NoMix(absl::string_view text, absl::string_view part) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no mix of operations: \"", part,
                   "\" should be one of ", absl::StrJoin(kOperationNames, ", "),
                   ", with a number of parts from 1 to ", kMaxParts,
                   " where there are several, as in get:9,set:1"));
}

}  // namespace

absl::StatusOr<OperationMix> OperationMix::Parse(absl::string_view text) {
  OperationMix mix;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> words = absl::StrSplit(part, ':');
    const auto name = std::find(kOperationNames.begin(), kOperationNames.end(),
                                words.front());
    uint32_t weight = 1;
    if (name == kOperationNames.end() || words.size() > 2 ||
        (words.size() == 2 && !absl::SimpleAtoi(words[1], &weight)) ||
        weight == 0 || weight > kMaxParts) {
      return NoMix(text, part);
    }
    mix.weights_[static_cast<size_t>(name - kOperationNames.begin())] += weight;
    mix.parts_ += weight;
  }
  return mix;
}

Operation OperationMix::At(uint64_t part) const {
  size_t operation = 0;
  while (part >= weights_[operation]) part -= weights_[operation++];
  return static_cast<Operation>(operation);
}

}  // namespace statecpp::wire
