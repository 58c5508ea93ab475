// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_ENCRYPT_H_
#define STATECPP_CLI_ENCRYPT_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp encrypt`: seals a store that is in clear and that nobody serves,
// under the key that the flags name (engine/store_copy.h), and prints what is
// to be changed around it. In a data root it also changes what is remembered of
// the store's instances, so that a server with the key serves them at once.
//
// A store that is sealed already, and opens with that key, is left as it is and
// is no error: what was interrupted can be done again. Exits 1 when
// interrupted, 5 where the store is damaged, 7 without a key or with one that
// does not open a sealed store, 73 where somebody has the store, 74 where the
// disk has no room; nothing was changed then.
void AddEncrypt(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_ENCRYPT_H_
