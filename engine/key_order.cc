// SPDX-License-Identifier: Apache-2.0
#include "engine/key_order.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace statecpp {
namespace {

bool IsLess(const Place& a, const Place& b) { return a.key() < b.key(); }

// The least places of those that are added and behind `after`.
class LeastPlaces {
 public:
  LeastPlaces(size_t most, const std::optional<std::string>& after)
      : most_(most), after_(after) {}

  void Add(const Place& place) {
    if (after_.has_value() && place.key() <= *after_) return;
    places_.push_back(place);
    if (places_.size() >= 2 * most_) Cut();
  }

  // All of them in order. Nothing may be added afterwards.
  const std::vector<Place>& Sort() {
    Cut();
    std::sort(places_.begin(), places_.end(), IsLess);
    return places_;
  }

  // Whether there are more behind these.
  bool left_some() const { return left_some_; }

 private:
  void Cut() {
    if (places_.size() <= most_) return;
    std::nth_element(places_.begin(), places_.begin() + most_, places_.end(),
                     IsLess);
    places_.erase(places_.begin() + most_, places_.end());
    left_some_ = true;
  }

  const size_t most_;
  const std::optional<std::string>& after_;
  std::vector<Place> places_;
  bool left_some_ = false;
};

}  // namespace

Place::Place(absl::string_view key, absl::string_view former_key,
             absl::string_view record)
    : former_key_(former_key),
      record_(record),
      key_size_(static_cast<uint8_t>(std::min(key.size(), kMaxKeySize))) {
  std::copy_n(key.begin(), key_size_, key_);
}

absl::Status VisitInOrder(
    size_t most, absl::FunctionRef<absl::Status(PlaceSink add)> walk,
    absl::FunctionRef<absl::Status(const Place& place)> visit) {
  std::optional<std::string> last;
  for (;;) {
    LeastPlaces least(most, last);
    const absl::Status walked =
        walk([&least](const Place& place) { least.Add(place); });
    if (!walked.ok()) return walked;
    const std::vector<Place>& places = least.Sort();
    for (const Place& place : places) {
      const absl::Status visited = visit(place);
      if (!visited.ok()) return visited;
    }
    if (!least.left_some()) return absl::OkStatus();
    last = std::string(places.back().key());
  }
}

}  // namespace statecpp
