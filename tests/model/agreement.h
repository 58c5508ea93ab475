// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_MODEL_AGREEMENT_H_
#define STATECPP_TESTS_MODEL_AGREEMENT_H_

#include <cstddef>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/item.h"
#include "engine/store.h"
#include "tests/model/tape.h"

// Whether a store, asked in one way or another, says what it should: nothing
// but the items that are live. INTERNAL, with what it says, if it does not.
namespace statecpp {

using Items = std::map<std::string, Item>;

// What was read of one key.
absl::Status CompareItem(const std::string& key, const Store::ReadResult& item,
                         const Items& live);

// The keys that match, page by page. Returns them, in order.
absl::StatusOr<std::string> CompareListing(const Store& store,
                                           const Items& live,
                                           const std::string& pattern,
                                           size_t page_size);

// The rows of a query, page by page. Returns their keys.
absl::StatusOr<std::string> CompareQuery(const Store& store, const Items& live,
                                         const Step& step);

// All that can be read by Get, BulkGet, ListKeys and Query.
absl::Status CompareAll(const Store& store, const Items& live);

// INTERNAL, which no call is answered by: what should not be.
absl::Status Wrong(absl::string_view what);
absl::Status Wrong(absl::string_view what, const absl::Status& status);

// Whether a call was answered by that code; `what` names the call.
absl::Status CompareCodes(const absl::Status& found, absl::StatusCode expected,
                          absl::string_view what);

// An item without its ETag, for a reader.
std::string ContentText(const Item& item);

}  // namespace statecpp

#endif  // STATECPP_TESTS_MODEL_AGREEMENT_H_
