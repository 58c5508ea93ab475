// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_KEY_ORDER_H_
#define STATECPP_ENGINE_KEY_ORDER_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace statecpp {

// What will stand at `key` in a store that is being made, and where it is to be
// found now. Keys of a store's own tables: 75 bytes at most.
class Place {
 public:
  static constexpr size_t kMaxKeySize = 75;

  // `former_key` and `record` are views that outlive this.
  Place(absl::string_view key, absl::string_view former_key,
        absl::string_view record);

  absl::string_view key() const { return {key_, key_size_}; }
  absl::string_view former_key() const { return former_key_; }
  absl::string_view record() const { return record_; }

 private:
  absl::string_view former_key_;
  absl::string_view record_;
  uint8_t key_size_;
  char key_[kMaxKeySize];
};

// Visits every place that `walk` adds, in the order of their keys, in memory
// for twice `most` of them (more than 0): it walks again for each `most` that
// there are. So `walk` adds the same places whenever it is called, and no two
// of one key.
//
//   VisitInOrder(
//       1 << 20,
//       [&](PlaceSink add) { ... add(place) ...; return absl::OkStatus(); },
//       [&](const Place& place) { return absl::OkStatus(); });
//
// The first error of either ends it and is returned.
using PlaceSink = absl::FunctionRef<void(const Place& place)>;
absl::Status VisitInOrder(
    size_t most, absl::FunctionRef<absl::Status(PlaceSink add)> walk,
    absl::FunctionRef<absl::Status(const Place& place)> visit);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_KEY_ORDER_H_
