// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_VERIFIER_H_
#define STATECPP_ENGINE_STORE_VERIFIER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/keyring.h"
#include "engine/options.h"
#include "engine/walk_child.h"
#include "engine/walk_report.h"

namespace statecpp {

// Looks at everything in a store: opens each record to its last byte, and
// compares all of them with the accumulator, which knows what the store wrote.
//
//   absl::StatusOr<WalkReport> report = VerifyClosedStore(
//       {.path = "orders", .keys = keys}, {},
//       {.found = [](const WalkFinding& finding) { ... }});
//   if (report.ok() && report->clean()) ...
//
// LMDB trusts its file, and one that is damaged can crash who walks over it. So
// the walk runs in a process of its own, and its death is a finding. (The walk
// in this process is Store::CheckIntegrity.) That process is given the store's
// root key, through a pipe, and no other secret.
//
// A walk reads one snapshot to its end. Beside an open store it keeps the space
// that writes free meanwhile from being used again, so the file may grow.
struct VerifyRequest {
  // The program that walks: its path, and words before those that tell it what
  // to walk over. It is to hand these on to WalkForParent (walk_child.h), as
  // `statecpp` does.
  std::vector<std::string> program = {"/proc/self/exe", "walk-store"};
  // Frames and accumulator alone: sees replayed and deleted records, and no
  // damage inside of one.
  bool quick = false;
  // Findings name the user's key where the record opens.
  bool show_keys = false;
  // Of a store that nobody has open: accept it as it is (store_repair.h). Not
  // with `quick`.
  bool accept = false;
  // And remove the records that do not open; without it, they are in the way.
  bool drop_damaged = false;
};

struct VerifyEvents {
  // Everything that is wrong, as it is found. May be null.
  std::function<void(const WalkFinding& finding)> found;
  // Several times a second: what was seen so far, of `total` records. False
  // ends the walk. May be null.
  std::function<bool(uint64_t records, uint64_t bytes, uint64_t total)>
      progress;
};

// A store that nobody has open, and nobody opens meanwhile. `options.create` is
// ignored, and so are keys where the store is plain, which the report says.
// Damage is no error, but for a file that cannot be one of LMDB's.
//
// ABORTED: the walk was ended, by `progress` or by a signal.
// INTERNAL: the program that should walk does not, or LMDB or the system says
//     no.
// DATA_LOSS: the file is truncated, emptied or another one.
// Those of Store::Open for a store that is missing, held or sealed under
// another key.
absl::StatusOr<WalkReport> VerifyClosedStore(const Options& options,
                                             const VerifyRequest& request,
                                             const VerifyEvents& events);

// The walk alone, by `program`, over a store whose folder somebody keeps others
// from. `unlock` is called with the store's header.
using UnlockHeader =
    absl::FunctionRef<absl::StatusOr<std::shared_ptr<const Keyring>>(
        absl::string_view header)>;
absl::StatusOr<WalkReport> WalkInChild(const WalkRequest& request,
                                       const std::vector<std::string>& program,
                                       const VerifyEvents& events,
                                       UnlockHeader unlock);

// What a VerifyRequest asks of a walk.
WalkRequest WalkRequestOf(const VerifyRequest& request,
                          const std::string& folder, absl::Time now);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_VERIFIER_H_
