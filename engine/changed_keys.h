// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_CHANGED_KEYS_H_
#define STATECPP_ENGINE_CHANGED_KEYS_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/string_view.h"
#include "engine/storage.h"

namespace statecpp {

// The keys that commits have changed since somebody last asked, for whoever
// copies a store while it is written: what was copied before is copied again.
//
//   ChangedKeys changed(max_bytes);
//   changed.Add(Space::kRecords, key);  // at each commit
//   ChangedKeys::Taken taken = changed.Take();
//
// Bounded: where the keys would take more memory than that, they are forgotten,
// and any key may have changed.
//
// Thread-compatible.
class ChangedKeys {
 public:
  using Place = std::pair<Space, std::string>;

  struct Taken {
    absl::btree_set<Place> places;
    // There were too many to note: any key may have changed.
    bool any = false;
  };

  explicit ChangedKeys(size_t max_bytes) : max_bytes_(max_bytes) {}

  void Add(Space space, absl::string_view key);

  // What was changed since the last call, or since the beginning. Takes no
  // longer for many keys than for one: commits wait meanwhile.
  Taken Take();

 private:
  const size_t max_bytes_;
  size_t bytes_ = 0;
  bool any_ = false;
  absl::btree_set<Place> places_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_CHANGED_KEYS_H_
