// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_WALK_LINES_H_
#define STATECPP_ENGINE_WALK_LINES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/walk_report.h"

namespace statecpp {

// What a walk in a process of its own tells the process that waits for it, in
// lines of printable ASCII. Numbers are decimal, bytes hexadecimal and "-"
// where there are none:
//
//   walk      := header total { progress | finding }* report
//              | { finding }* report         where there is no header
//              | failed                      where it could not begin
//   header    := "header" bytes              answered by 32 bytes, the root key
//   total     := "total" records
//   progress  := "progress" records bytes
//   finding   := "finding" kind place key reason...
//   report    := "report" number{16} { id ":" counted ":" kept }*
//   failed    := "failed" code text...
//   assertion := "assertion" text...         LMDB's last words, at any time
//
// The process may have lost its mind to the file that it walks over, so nothing
// that it says is taken on trust: what is not one of these lines is refused.
struct WalkHeader {
  std::string bytes;
};
struct WalkTotal {
  uint64_t records;
};
struct WalkSoFar {
  uint64_t records;
  uint64_t bytes;
};
struct WalkAssertion {
  std::string text;
};
// An absl::Status stands for `failed`.
using WalkLine = std::variant<WalkHeader, WalkTotal, WalkSoFar, WalkFinding,
                              WalkReport, absl::Status, WalkAssertion>;

// No line is longer: a header with as many data keys as there can be, or a
// finding with the longest key.
inline constexpr size_t kMaxWalkLine = size_t{16} << 20;

// With the newline at its end.
std::string PrintWalkLine(const WalkLine& line);

// Without it. nullopt: not a line of a walk.
std::optional<WalkLine> ParseWalkLine(absl::string_view line);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_WALK_LINES_H_
