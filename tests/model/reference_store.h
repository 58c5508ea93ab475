// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_MODEL_REFERENCE_STORE_H_
#define STATECPP_TESTS_MODEL_REFERENCE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/clock.h"
#include "engine/etag.h"
#include "engine/item.h"
#include "engine/write.h"

namespace statecpp {

// What engine/clock.h's two clocks let one believe, by the words of
// engine/trusted_time.h: the mark is the latest moment that passed for certain,
// as far as a clock that runs in step for an hour is not far behind it.
class ReferenceTime {
 public:
  ReferenceTime(Clock& clock, absl::Time mark);

  // Takes note of where the clocks stand.
  void Look();

  absl::Time mark() const { return mark_; }
  absl::Time ForVisibility() const;

 private:
  Clock* clock_;
  absl::Time mark_;
  absl::Duration looked_at_;
  absl::Time step_wall_;
  absl::Duration step_monotonic_;
};

// The contract of Store, over a std::map: one operation after the other, with
// no disk, no thread and no shortcut. ETags are opaque to it: it learns them
// from the results of the store it stands beside.
//
// The store it stands beside must look at the clocks whenever this one does.
class ReferenceStore {
 public:
  explicit ReferenceStore(Clock& clock);

  std::optional<Item> Get(absl::string_view key) const;

  // How ops that hold or fail together are answered: OK, or the code and the
  // index of the op that decides.
  struct Answer {
    absl::StatusCode code = absl::StatusCode::kOk;
    size_t op = 0;
  };
  Answer Judge(absl::Span<const WriteOp> ops) const;

  // What Judge found good has happened, with these ETags.
  void Apply(absl::Span<const WriteOp> ops, absl::Span<const ETag> etags);

  // A sweep removes what expired, but may be late with what expired lately.
  // Takes it that what could be late is gone or not, which nobody can see.
  struct SweepBounds {
    int64_t at_least = 0;
    int64_t at_most = 0;
  };
  SweepBounds Sweep();

  // How many records are on disk, as far as one can know.
  std::pair<uint64_t, uint64_t> RecordBounds() const;

  // The clocks moved.
  void Look() { time_.Look(); }

  // The store was closed and is opened again.
  void Reopen();

 private:
  struct Entry {
    Item item;
    absl::Duration ttl;        // of an item that expires
    bool may_be_gone = false;  // swept perhaps
  };

  static absl::StatusCode Validate(const WriteOp& op);
  bool IsLive(const Entry& entry) const;

  Clock& clock_;
  ReferenceTime time_;
  // The mark as of the last commit, which is what a store finds again.
  absl::Time kept_mark_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_MODEL_REFERENCE_STORE_H_
