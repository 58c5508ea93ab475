// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_KEYRING_FILE_H_
#define STATECPP_CRYPTO_KEYRING_FILE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/master_key.h"
#include "crypto/secret_bytes.h"

namespace statecpp {

// A file of several master keys, for while one takes another's place:
//
//   {
//     "version": 1,
//     "primary": "prod-2026-09",
//     "keys": [
//       {"name": "prod-2026-09", "key": "<text that ParseKey takes>"},
//       {"name": "prod-2026-03", "key": "…", "use": "unlock"},
//       {"name": "recovery", "passphrase": {"file": "/etc/statecpp/words"}},
//       {"name": "spare", "passphrase": {"exec": ["/usr/bin/get-pass", "-q"]}}
//     ]
//   }
//
// New stores are sealed under the primary key; each of them may open one. A key
// for "unlock" cannot be the primary. A field that is not listed here is an
// error, since it may be one misspelled.
inline constexpr size_t kMaxKeyringFile = 64 << 10;

// Where an entry's passphrase is: one of the two is not empty.
struct PassphrasePlace {
  std::string file = "";
  std::vector<std::string> command = {};
};
using ReadPassphrase =
    std::function<absl::StatusOr<SecretBytes>(const PassphrasePlace&)>;

// The keys of such a file, the primary first, the others as they stand. Calls
// `read_passphrase` when all else is in order.
//
// INVALID_ARGUMENT: not such a file; the text names what is wrong, and shows
//   neither a key nor what may be one. Whatever `read_passphrase` fails with.
absl::StatusOr<MasterKeys> ParseKeyringFile(
    const SecretBytes& text, const ReadPassphrase& read_passphrase);

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_KEYRING_FILE_H_
