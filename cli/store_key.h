// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STORE_KEY_H_
#define STATECPP_CLI_STORE_KEY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "cli/key_flags.h"
#include "cli/store_target.h"
#include "crypto/key_source.h"

namespace statecpp {

// What opens a store that no server has: the flags, if one of them names a key;
// else what its component says, where --component names that: no key at all, or
// a file below --key-dir, as the server has it; else ChooseKeySource. nullptr:
// nothing names any. Reads no key but that of a variable.
//
// INVALID_ARGUMENT: the component's key is not to be had here; the text says
//     which flag to give.
// Those of ChooseKeySource.
absl::StatusOr<std::shared_ptr<const KeySource>> ChooseStoreKey(
    const StoreTarget& target, const KeyFlags& flags);

}  // namespace statecpp

#endif  // STATECPP_CLI_STORE_KEY_H_
