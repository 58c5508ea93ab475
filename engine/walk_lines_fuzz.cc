// SPDX-License-Identifier: Apache-2.0
//
// A line that is one says the same when it is printed and read again. It may
// come from a process that a damaged file has made say anything.
#include <optional>
#include <string>

#include "absl/strings/strip.h"
#include "engine/walk_lines.h"
#include "tests/fuzz/fuzz_target.h"

namespace statecpp {

void FuzzOne(FuzzInput input) {
  const std::optional<WalkLine> line = ParseWalkLine(input.Rest());
  if (!line.has_value()) return;
  const std::string printed = PrintWalkLine(*line);
  absl::string_view bare = printed;
  Expect(absl::ConsumeSuffix(&bare, "\n"), "a line ends");
  const std::optional<WalkLine> again = ParseWalkLine(bare);
  Expect(again.has_value(), "a printed line is a line");
  Expect(again->index() == line->index() && PrintWalkLine(*again) == printed,
         "a printed line reads as what was printed");
}

}  // namespace statecpp
