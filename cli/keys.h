// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_KEYS_H_
#define STATECPP_CLI_KEYS_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp keys status|add|remove|rotate|retire`: shows and changes the keys
// of a sealed store. Beside a server, the server does it, with the keys that it
// has; otherwise this process opens the store and needs its key, which only
// `status` can do without. engine/store_keys.h says what each of them does.
void AddKeys(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_KEYS_H_
