// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_KEYED_TAG_H_
#define STATECPP_CRYPTO_KEYED_TAG_H_

#include <utility>

#include "crypto/aead.h"
#include "crypto/secret.h"

namespace statecpp {

// The Aead of plain stores (alg 0): the text stays in clear, and the tag is
// BLAKE2b-128 under the key over associated data, nonce and text. It finds
// damage and moved records there just as a cipher would. It hides nothing, and
// since a plain store keeps its root key beside the data, it stops no forger.
//
// The associated data must tell where it ends (ours closes with an LMDB key,
// and no such key is a prefix of another), because the three parts are hashed
// one after the other.
class KeyedTag final : public Aead {
 public:
  explicit KeyedTag(Secret key) : key_(std::move(key)) {}

  void Seal(const uint8_t nonce[kNonceSize], absl::string_view associated_data,
            absl::string_view text, uint8_t* out,
            uint8_t tag[kTagSize]) const override;

  [[nodiscard]] bool Open(const uint8_t nonce[kNonceSize],
                          absl::string_view associated_data,
                          absl::string_view text, const uint8_t tag[kTagSize],
                          uint8_t* out) const override;

 private:
  void Compute(const uint8_t nonce[kNonceSize],
               absl::string_view associated_data, absl::string_view text,
               uint8_t tag[kTagSize]) const;

  Secret key_;
};

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_KEYED_TAG_H_
