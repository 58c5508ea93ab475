// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_COMPACT_H_
#define STATECPP_CLI_COMPACT_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp compact`: writes a store that nobody serves anew, without what was
// deleted, overwritten or replaced in it (engine/store_copy.h), and prints how
// much room it takes before and afterwards. A sealed store needs its key.
//
// Exits 1 when interrupted, 5 where the store is damaged, 7 without its key, 73
// where somebody has the store, 74 where the disk has no room; nothing was
// changed then.
void AddCompact(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_COMPACT_H_
