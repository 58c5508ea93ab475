// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_KEY_TEXT_H_
#define STATECPP_CRYPTO_KEY_TEXT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/secret.h"
#include "crypto/secret_bytes.h"

namespace statecpp {

// The longest content of a file, a variable or a command's output that may hold
// one key or one passphrase.
inline constexpr size_t kMaxKeyText = 4096;

// A key as people and other programs write it: 32 raw bytes, 64 hexadecimal
// digits, or 32 bytes in base64 (43 characters, or 44 with the padding; of
// either alphabet). Whitespace may follow the latter two.
//
// INVALID_ARGUMENT: anything else; the text says what it looks like instead.
// Also a key whose bytes are all the same.
absl::StatusOr<Secret> ParseKey(absl::string_view text);

// The key as 64 hexadecimal digits and a newline.
SecretBytes KeyAsText(const Secret& key);

// Takes one newline off the end. INVALID_ARGUMENT when nothing is left.
absl::StatusOr<SecretBytes> ParsePassphrase(SecretBytes text);

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_KEY_TEXT_H_
