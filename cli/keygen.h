// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_KEYGEN_H_
#define STATECPP_CLI_KEYGEN_H_

#include "cli/verb_table.h"

namespace statecpp {

// `statecpp keygen FILE`: makes a new key, writes it to a file that was not
// there before, and says what to do next; or prints it, where FILE is `-`.
// Exits 0 when the key is on disk, 2 where no file can be made there, 4 when
// there is one, 74 when it could not be written (then there is none).
void AddKeygen(VerbTable& verbs);

}  // namespace statecpp

#endif  // STATECPP_CLI_KEYGEN_H_
