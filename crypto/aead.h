// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_AEAD_H_
#define STATECPP_CRYPTO_AEAD_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace statecpp {

// Authenticated encryption with associated data (RFC 5116), detached: the tag
// is kept apart from the text, and the text keeps its length. The key is part
// of the object.
//
// What an Aead promises: text that opens was sealed under this key, with this
// nonce and this associated data. Whether it is also secret is up to the
// implementation; the one for plain stores promises no secrecy.
//
// Implementations are thread-safe.
class Aead {
 public:
  static constexpr size_t kNonceSize = 24;
  static constexpr size_t kTagSize = 16;

  virtual ~Aead() = default;

  // Writes text.size() bytes to `out`, which may be text.data(), and the tag to
  // `tag`. A nonce is used once: two texts under one nonce reveal each other.
  virtual void Seal(const uint8_t nonce[kNonceSize],
                    absl::string_view associated_data, absl::string_view text,
                    uint8_t* out, uint8_t tag[kTagSize]) const = 0;

  // The reverse. False when anything differs from what was sealed; `out` then
  // holds nothing of use.
  [[nodiscard]] virtual bool Open(const uint8_t nonce[kNonceSize],
                                  absl::string_view associated_data,
                                  absl::string_view text,
                                  const uint8_t tag[kTagSize],
                                  uint8_t* out) const = 0;
};

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_AEAD_H_
