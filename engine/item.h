// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_ITEM_H_
#define STATECPP_ENGINE_ITEM_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "engine/etag.h"

namespace statecpp {

// What a read returns of a live key. An empty value is a value.
struct Item {
  std::string value;
  ETag etag{0};
  // As given with the write; empty if none was.
  std::string content_type;
  // When the item stops being visible, to the millisecond; nullopt: never.
  std::optional<absl::Time> expires;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_ITEM_H_
