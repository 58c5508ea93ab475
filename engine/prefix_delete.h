// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_PREFIX_DELETE_H_
#define STATECPP_ENGINE_PREFIX_DELETE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/commit_queue.h"
#include "engine/current_keyring.h"
#include "engine/record_scan.h"

namespace statecpp {

// Store::DeleteWithPrefix. Walks the range of the direct children and removes
// them through the commit queue, some at a time, each on condition that it is
// still the record that was read. One that is not is read again: with the same
// version it was merely sealed anew, and goes; with another it is a Set that
// came later, and stays.
//
// `now` decides what counts as live. Not for the commit thread.
absl::StatusOr<int64_t> DeleteChildren(const RecordScan::Look& look,
                                       const CurrentKeyring& keyring,
                                       CommitQueue& queue, absl::Time now,
                                       absl::string_view prefix);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_PREFIX_DELETE_H_
