// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_FREE_PAGES_H_
#define STATECPP_ENGINE_FREE_PAGES_H_

#include "absl/status/status.h"
#include "engine/lmdb_environment.h"

namespace statecpp {

// Looks at LMDB's lists of free pages, which the next commits take their pages
// from: one that names a page in use would have it overwritten.
//
// DATA_LOSS: a list is not one, names a page twice or one that the file has
// not, or more pages are free or in use than there are. Those of a scan.
absl::Status CheckFreePages(const LmdbReader& reader);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_FREE_PAGES_H_
