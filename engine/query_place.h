// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_QUERY_PLACE_H_
#define STATECPP_ENGINE_QUERY_PLACE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/json_scalar.h"
#include "engine/query.h"

namespace statecpp {

// Where a row stands in the order of a query. Bounded in size, because it is
// carried from page to page: of long strings and keys the first bytes count.
struct QueryPlace {
  static constexpr size_t kTextSize = 256;
  static constexpr size_t kKeySize = 512;

  // Takes the place of the row of that key; `values` are those that the sort
  // keys lead to.
  void Set(absl::Span<const JsonScalar> values, absl::string_view key,
           absl::string_view record_key);

  void AppendTo(std::string& bytes) const;
  // False: no bytes of a place with that many sort keys.
  bool Parse(absl::string_view bytes, size_t sort_keys);

  std::vector<JsonScalar> values = {};
  std::string key_head = "";
  // Tells rows apart whose keys begin with the same 512 bytes.
  std::string record_key = "";
};

// Whether a row at `a` comes before one at `b`.
bool IsBefore(const std::vector<SortKey>& sort, const QueryPlace& a,
              const QueryPlace& b);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_QUERY_PLACE_H_
