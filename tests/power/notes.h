// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_NOTES_H_
#define STATECPP_TESTS_POWER_NOTES_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/store.h"

namespace statecpp {

// What was begun on a store and what was acknowledged, each with its place
// among the events of the recording; and so what must be there, and what may,
// when the power is cut at some event.
struct Notes {
  static constexpr size_t kNever = std::numeric_limits<size_t>::max();

  struct Write {
    struct Change {
      std::string key;
      std::optional<std::string> value;  // nullopt: deleted
      absl::Time expires = absl::InfiniteFuture();
      std::optional<uint64_t> etag = std::nullopt;  // as answered
    };
    // All of them or none.
    std::vector<Change> items;
    size_t begun = kNever;
    size_t acknowledged = kNever;
  };

  // In the order in which they were begun; of one key, each after the answer to
  // the one before.
  std::vector<Write> writes;
  // The store was made.
  size_t made = kNever;
  // What the clock said from then on.
  std::vector<std::pair<size_t, absl::Time>> times;
  // Which sets of keys (an index of the workload's) open it for certain from
  // then on.
  std::vector<std::pair<size_t, int>> keys;

  // As of a cut at which so many events had happened.
  bool IsMade(size_t events) const { return made < events; }
  absl::Time Now(size_t events) const;
  int Keys(size_t events) const;
  uint64_t Acknowledged(size_t events) const;
};

// What a store may not do after a power cut.
enum class Wrong {
  kLost,   // what was acknowledged is not there, or the store does not open
  kTorn,   // a part of a write without an answer is there, and a part is not
  kFalse,  // what is there was never written, or by its ETag another time
};

struct Violation {
  Wrong wrong;
  std::string text;
};

// Compares the store with the notes. None expected.
std::vector<Violation> FindViolations(const Notes& notes, size_t events,
                                      const Store& store);

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_NOTES_H_
