// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_LEAKS_STORE_SECRETS_H_
#define STATECPP_TESTS_LEAKS_STORE_SECRETS_H_

#include <string>

#include "crypto/master_key.h"
#include "tests/leaks/leak_scanner.h"

namespace statecpp {

// Adds every key of the store in `folder` that one of `keys` opens: the root
// key, what is derived from it, and the data keys that are in its header now.
// No other process may have the store open.
void AddKeysOfStore(const std::string& folder, const MasterKeys& keys,
                    LeakScanner& scanner);

}  // namespace statecpp

#endif  // STATECPP_TESTS_LEAKS_STORE_SECRETS_H_
