// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_MODEL_REFERENCE_QUERY_H_
#define STATECPP_TESTS_MODEL_REFERENCE_QUERY_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/item.h"
#include "engine/query.h"

namespace statecpp {

// The keys of the rows that a query has, in their order: by the words of
// engine/query.h, over whole trees and a sort, and nothing of the engine's. The
// filter is one that the engine takes.
std::vector<std::string> ReferenceRows(const std::map<std::string, Item>& items,
                                       absl::string_view filter,
                                       const std::vector<SortKey>& sort,
                                       absl::string_view key_prefix);

}  // namespace statecpp

#endif  // STATECPP_TESTS_MODEL_REFERENCE_QUERY_H_
