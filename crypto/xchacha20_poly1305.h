// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_XCHACHA20_POLY1305_H_
#define STATECPP_CRYPTO_XCHACHA20_POLY1305_H_

#include <utility>

#include "crypto/aead.h"
#include "crypto/secret.h"

namespace statecpp {

// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), by libsodium: the Aead of
// sealed stores (alg 1). Its nonce is long enough to be drawn at random for
// ever, on every copy of a store, without a counter that a restored or copied
// store would repeat.
class XChaCha20Poly1305 final : public Aead {
 public:
  explicit XChaCha20Poly1305(Secret key) : key_(std::move(key)) {}

  void Seal(const uint8_t nonce[kNonceSize], absl::string_view associated_data,
            absl::string_view text, uint8_t* out,
            uint8_t tag[kTagSize]) const override;

  [[nodiscard]] bool Open(const uint8_t nonce[kNonceSize],
                          absl::string_view associated_data,
                          absl::string_view text, const uint8_t tag[kTagSize],
                          uint8_t* out) const override;

 private:
  const Secret key_;
};

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_XCHACHA20_POLY1305_H_
