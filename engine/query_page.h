// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_QUERY_PAGE_H_
#define STATECPP_ENGINE_QUERY_PAGE_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/random.h"
#include "engine/current_keyring.h"
#include "engine/query.h"
#include "engine/record_scan.h"
#include "engine/write.h"

namespace statecpp {

// One page of Store::Query: the first rows, in the query's order, behind where
// the token says that the last page ended. Walks all of the range and keeps the
// rows that may still be among the first: as many as a page has, never more.
//
// A page's token (page_token.h) is where its last row stands in that order,
// under the domain "lse/1/query\0", for the filter, the sort and the prefix:
//
//   place := scalar* key_size(u16) key[first 512 bytes] record_key
//
// `now` decides what has expired.
absl::StatusOr<QueryPage> ReadQueryPage(const RecordScan::Look& look,
                                        const CurrentKeyring& keyring,
                                        Random& random, absl::Time now,
                                        const Query& query,
                                        const CallBounds& bounds);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_QUERY_PAGE_H_
