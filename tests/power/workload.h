// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_WORKLOAD_H_
#define STATECPP_TESTS_POWER_WORKLOAD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/master_key.h"
#include "tests/power/noted_store.h"
#include "tests/power/notes.h"
#include "tests/power/recording.h"

namespace statecpp {

// What opens a store, and whether it may still be plain.
struct KeySet {
  std::shared_ptr<const MasterKeys> keys;
  bool may_be_plain = false;
};

// What a workload did, and to what disk. The store is the folder "store".
struct RecordedWork {
  std::string workload;
  uint64_t seed = 0;
  Recording recording;
  Notes notes;
  std::vector<KeySet> keys;  // by Notes::Keys
};

// The workloads of this run, on plain or on sealed stores (TestsAreSealed).
std::vector<std::string> WorkloadNames();

// Does it in a folder in memory, from nothing. The same seed does the same
// things in the same order, but for "crowd", which has threads; bytes that the
// store draws are others each time.
absl::StatusOr<RecordedWork> Record(
    const std::string& workload, uint64_t seed,
    NotedStore::Lie lie = NotedStore::Lie::kNone);

// The same in that folder, which is empty.
absl::StatusOr<RecordedWork> RecordIn(
    const std::string& folder, const std::string& workload, uint64_t seed,
    NotedStore::Lie lie = NotedStore::Lie::kNone);

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_WORKLOAD_H_
