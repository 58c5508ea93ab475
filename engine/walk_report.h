// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_WALK_REPORT_H_
#define STATECPP_ENGINE_WALK_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace statecpp {

// One thing that a walk over a store found wrong.
struct WalkFinding {
  enum class Kind {
    kTree,         // LMDB's own structures
    kHeader,       // the store's header
    kAccumulator,  // the value that knows what the records should be
    kMeta,         // something beside these two
    kDamaged,      // a record that does not open
    kForeign,      // a record that opens, but at another key's place
    kHidden,       // a record that a scan reaches and a look-up does not
    kExpiry,       // a record that expires and would never be removed
    kRecords,      // all together: not those that the store wrote
  };

  Kind kind;
  // Where it is in LMDB: of a record its record key (keys.h), of kMeta the
  // entry's name; else empty.
  std::string place;
  // The user's key, where the record opened.
  std::string key;
  // Why, in words; no advice.
  std::string reason;

  friend bool operator==(const WalkFinding&, const WalkFinding&) = default;
};

// A word for each kind, as `statecpp verify` prints it: "damaged record".
absl::string_view NameOf(WalkFinding::Kind kind);

// What a walk over a store came to.
struct WalkReport {
  enum class Accumulator { kUnknown, kAgrees, kDiffers };
  struct DataKey {
    uint32_t id;       // 0 in a plain store
    uint64_t counted;  // records under it
    uint64_t kept;     // as the accumulator says

    friend bool operator==(const DataKey&, const DataKey&) = default;
  };

  // The walk came to its end. Otherwise the figures are those of the part that
  // it saw, and `accumulator` is unknown.
  bool complete = false;
  // False: its records stand there in clear, whatever key was given.
  bool sealed = false;
  uint64_t findings = 0;
  uint64_t records = 0;  // expired ones and damaged ones included
  uint64_t expired = 0;
  uint64_t damaged = 0;  // do not open, or not as what stands there
  uint64_t bytes = 0;    // of records and their places
  uint64_t expiry_entries = 0;
  uint64_t stray_entries = 0;  // of these, without a record; do no harm
  uint64_t commit_seq = 0;
  // Damaged records that were overwritten or deleted, since when the
  // accumulator is not exact.
  uint64_t unreadable = 0;
  Accumulator accumulator = Accumulator::kUnknown;
  std::vector<DataKey> data_keys;

  // What a repair did; nothing without one, or where it was refused.
  bool accepted = false;
  uint64_t mended = 0;   // of the findings
  uint64_t dropped = 0;  // of the damaged records
  uint64_t indexed = 0;  // expiry entries put back

  // All is well, by now.
  bool clean() const { return complete && findings == mended; }

  friend bool operator==(const WalkReport&, const WalkReport&) = default;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_WALK_REPORT_H_
