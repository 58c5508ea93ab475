// SPDX-License-Identifier: Apache-2.0
#include "engine/walk_report.h"

namespace statecpp {

absl::string_view NameOf(WalkFinding::Kind kind) {
  switch (kind) {
    case WalkFinding::Kind::kTree:
      return "tree";
    case WalkFinding::Kind::kHeader:
      return "header";
    case WalkFinding::Kind::kAccumulator:
      return "accumulator";
    case WalkFinding::Kind::kMeta:
      return "unknown entry";
    case WalkFinding::Kind::kDamaged:
      return "damaged record";
    case WalkFinding::Kind::kForeign:
      return "foreign record";
    case WalkFinding::Kind::kHidden:
      return "hidden record";
    case WalkFinding::Kind::kExpiry:
      return "record without expiry entry";
    case WalkFinding::Kind::kRecords:
      return "all records";
  }
  return "";
}

}  // namespace statecpp
