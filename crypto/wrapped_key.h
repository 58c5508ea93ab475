// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_WRAPPED_KEY_H_
#define STATECPP_CRYPTO_WRAPPED_KEY_H_

#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "crypto/aead.h"
#include "crypto/random.h"
#include "crypto/secret.h"

namespace statecpp {

// A key, sealed under another with XChaCha20-Poly1305.
//
//   wrapped := nonce[24] text[32] tag[16]
struct WrappedKey {
  std::array<uint8_t, Aead::kNonceSize> nonce;
  std::array<uint8_t, Secret::kSize> text;
  std::array<uint8_t, Aead::kTagSize> tag;

  bool operator==(const WrappedKey&) const = default;
};

// `associated_data` says what the key is and where it belongs.
WrappedKey WrapKey(const Secret& under, absl::string_view associated_data,
                   const Secret& key, Random& random);

// nullopt: not wrapped under this key for this place, or damaged.
std::optional<Secret> UnwrapKey(const Secret& under,
                                absl::string_view associated_data,
                                const WrappedKey& wrapped);

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_WRAPPED_KEY_H_
