// SPDX-License-Identifier: Apache-2.0
#include "crypto/xchacha20_poly1305.h"

#include <sodium.h>

namespace statecpp {
namespace {

static_assert(Aead::kNonceSize == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(Aead::kTagSize == crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(Secret::kSize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const uint8_t* Bytes(absl::string_view view) {
  return reinterpret_cast<const uint8_t*>(view.data());
}

}  // namespace

void XChaCha20Poly1305::Seal(const uint8_t nonce[kNonceSize],
                             absl::string_view associated_data,
                             absl::string_view text, uint8_t* out,
                             uint8_t tag[kTagSize]) const {
  crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
      out, tag, nullptr, Bytes(text), text.size(), Bytes(associated_data),
      associated_data.size(), nullptr, nonce, key_.RevealKeyBytes().data());
}

bool XChaCha20Poly1305::Open(const uint8_t nonce[kNonceSize],
                             absl::string_view associated_data,
                             absl::string_view text,
                             const uint8_t tag[kTagSize], uint8_t* out) const {
  return crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
             out, nullptr, Bytes(text), text.size(), tag,
             Bytes(associated_data), associated_data.size(), nonce,
             key_.RevealKeyBytes().data()) == 0;
}

}  // namespace statecpp
