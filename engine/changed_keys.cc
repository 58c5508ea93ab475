// SPDX-License-Identifier: Apache-2.0
#include "engine/changed_keys.h"

namespace statecpp {
namespace {

// What a key takes beside its bytes, about.
constexpr size_t kBytesPerPlace = 64;

}  // namespace

void ChangedKeys::Add(Space space, absl::string_view key) {
  if (any_) return;
  if (!places_.emplace(space, std::string(key)).second) return;
  bytes_ += key.size() + kBytesPerPlace;
  if (bytes_ <= max_bytes_) return;
  any_ = true;
  places_.clear();
}

ChangedKeys::Taken ChangedKeys::Take() {
  bytes_ = 0;
  return {.places = std::exchange(places_, {}),
          .any = std::exchange(any_, false)};
}

}  // namespace statecpp
