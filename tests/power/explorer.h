// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_EXPLORER_H_
#define STATECPP_TESTS_POWER_EXPLORER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/power/disk.h"
#include "tests/power/disk_image.h"
#include "tests/power/workload.h"

namespace statecpp {

// Cuts the power at every sync of a recorded work, makes what may then be found
// on the disk, opens the store in it, and compares that with what was
// acknowledged.
struct Exploration {
  uint64_t seed = 0;
  // At most, of each cut; fewer where less was on its way.
  uint64_t choices = 20;
  Disk::Promises promises = {};
};

// One state: the power is cut when so many events have happened, and such a
// choice of what was on its way has arrived.
struct CrashState {
  size_t cut = 0;
  uint64_t choice = 0;
};

struct Explored {
  uint64_t cuts = 0;
  uint64_t states = 0;
  // Writes that each state was to hold, added up.
  uint64_t acknowledged = 0;
  // States in which something was wrong, by what it was first.
  uint64_t lost = 0;
  uint64_t torn = 0;
  uint64_t false_answers = 0;
  // Of these one, and what was wrong there; empty if there is none.
  CrashState first;
  std::string first_text;

  uint64_t wrong() const { return lost + torn + false_answers; }
};

// In processes of its own, as many as there are processors: a store that is
// broken may end the process that opens it.
Explored Explore(const RecordedWork& work, const Exploration& exploration);

// The states that Explore makes.
std::vector<CrashState> StatesOf(const RecordedWork& work,
                                 const Exploration& exploration);

// The store is opened in such a state, read and written to: what came of it is
// to be cut once more. Not of a work that changes the store's keys.
absl::StatusOr<RecordedWork> RecordAfter(const RecordedWork& work,
                                         const Exploration& exploration,
                                         const CrashState& state);

// One of them.
DiskImage ImageOf(const RecordedWork& work, const Exploration& exploration,
                  const CrashState& state);

// Opens the store that is below `folder`, as it was found after that cut, and
// compares; if it `goes_on`, writes to it, and opens it once more. None
// expected.
std::vector<Violation> CheckState(const RecordedWork& work, size_t cut,
                                  const std::string& folder, bool goes_on);

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_EXPLORER_H_
