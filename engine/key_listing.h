// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_KEY_LISTING_H_
#define STATECPP_ENGINE_KEY_LISTING_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/random.h"
#include "engine/current_keyring.h"
#include "engine/key_query.h"
#include "engine/record_scan.h"

namespace statecpp {

// One page of Store::ListKeys. Walks the range of the longest prefix that the
// pattern fixes, and matches the key inside each record.
//
// A page's token (page_token.h) is where its last key stands: a record key,
// under the domain "lse/1/keys\0", for the pattern.
//
// `now` decides what has expired.
absl::StatusOr<KeyPage> ReadKeyPage(const RecordScan::Look& look,
                                    const CurrentKeyring& keyring,
                                    Random& random, absl::Time now,
                                    const KeyQuery& query);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_KEY_LISTING_H_
