// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_REPAIR_H_
#define STATECPP_ENGINE_STORE_REPAIR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/lmdb_environment.h"
#include "engine/store_walk.h"
#include "engine/walk_report.h"

namespace statecpp {

// Accepts a store as a walk found it: from then on its accumulator stands for
// the records that are there. What was replayed, deleted or brought back before
// can no longer be seen.
//
//   StoreRepair repair({.drop_damaged = true});
//   WalkOutcome walked = WalkStore(..., [&](const WalkFinding& finding) {
//     repair.Note(finding);
//   }, ...);
//   absl::Status repaired = repair.Accept(environment, walked);
//
// Records that do not open can be dropped on the way, and lost entries of the
// expiry index are put back. An accumulator that does not open is made anew;
// its count of commits begins again. What is wrong with LMDB's own structures,
// or with the header, cannot be mended, and an entry that this program does not
// know is left alone.
struct RepairOptions {
  bool drop_damaged = false;
  absl::Time now = absl::InfinitePast();
};

class StoreRepair {
 public:
  explicit StoreRepair(const RepairOptions& options) : options_(options) {}

  // Each finding of the walk.
  void Note(const WalkFinding& finding);

  // In one durable step, and notes in the report what was done. Changes nothing
  // where the walk found nothing that can be mended, or something that cannot,
  // which the report then says by not being `accepted`. Nobody may have written
  // since the walk.
  //
  // Those of LmdbEnvironment's transactions.
  absl::Status Accept(LmdbEnvironment& environment, WalkOutcome& walked) const;

 private:
  absl::Status Write(LmdbEnvironment::WriteTransaction& txn,
                     WalkOutcome& walked) const;

  const RepairOptions options_;
  bool possible_ = true;
  uint64_t mendable_ = 0;
  // Record keys.
  std::vector<std::string> drops_;
  std::vector<std::string> to_index_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_REPAIR_H_
