// SPDX-License-Identifier: Apache-2.0
#include "crypto/error_payload.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace statecpp::error {
namespace {

constexpr absl::string_view kMending = "statecpp/mending-command";
// No path has it in it.
constexpr absl::string_view kBetweenWords("\0", 1);

}  // namespace

absl::Status WithMendingCommand(absl::Status status,
                                const std::vector<std::string>& words) {
  status.SetPayload(kMending, absl::Cord(absl::StrJoin(words, kBetweenWords)));
  return status;
}

std::vector<std::string> MendingCommand(const absl::Status& status) {
  const absl::optional<absl::Cord> words = status.GetPayload(kMending);
  if (!words.has_value()) return {};
  return absl::StrSplit(std::string(*words), kBetweenWords);
}

}  // namespace statecpp::error
