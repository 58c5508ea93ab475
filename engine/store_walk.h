// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_WALK_H_
#define STATECPP_ENGINE_STORE_WALK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/keyring.h"
#include "crypto/secret.h"
#include "engine/accumulator.h"
#include "engine/lmdb_environment.h"
#include "engine/page_check.h"
#include "engine/walk_report.h"

namespace statecpp {

// A look at all there is in a store, in one snapshot:
//
//   - the header and the accumulator open, and nothing else stands beside them;
//   - every record opens to its last byte, stands where its key belongs, and is
//     found by who looks for it;
//   - every record that expires has an entry by which it will be removed;
//   - all records together are those that the accumulator knows;
//   - each table is in order.
//
// What is wrong is reported, and the walk goes on as far as it can. LMDB
// trusts its file: over one that may be damaged, a walk may end the process
// that makes it. FindPageDamage comes first, and past LMDB.
struct WalkOptions {
  // Without opening a record: frames, the accumulator, LMDB's tables. Sees no
  // damage inside of a record.
  bool quick = false;
  // Decides what counts as expired.
  absl::Time now = absl::InfinitePast();
  // As many as FindPageDamage told already.
  uint64_t findings = 0;
};

struct WalkOutcome {
  WalkReport report;
  // Which the accumulators refer to; null where the header does not open.
  std::shared_ptr<const Keyring> keyring;
  // Of all records that have a term, damaged or not.
  std::optional<Accumulator> counted;
  // As it stands in the store; nullopt where it does not open.
  std::optional<Accumulator> kept;
};

// Called for everything that is wrong, as it is found.
using WalkFound = absl::FunctionRef<void(const WalkFinding& finding)>;
// Called now and then with what was seen so far.
using WalkProgress = absl::FunctionRef<void(uint64_t records, uint64_t bytes)>;

// What is wrong with LMDB's own structures, and in how many places.
uint64_t FindPageDamage(PageCheck& pages, WalkFound found);

// `root` is the store's root key.
WalkOutcome WalkStore(const LmdbReader& reader, const Secret& root,
                      const WalkOptions& options, WalkFound found,
                      WalkProgress progress);

// The header of the store, for who has yet to find its root key.
//
// DATA_LOSS: there is none.
absl::StatusOr<std::string> ReadHeaderEntry(const LmdbReader& reader);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_WALK_H_
