// SPDX-License-Identifier: Apache-2.0
#include "crypto/keyed_tag.h"

#include <sodium.h>

#include <cstring>

#include "crypto/keyed_hash.h"

namespace statecpp {
namespace {

// The text stays as it is; memmove because it may be sealed in place.
void Keep(absl::string_view text, uint8_t* out) {
  if (!text.empty()) std::memmove(out, text.data(), text.size());
}

}  // namespace

void KeyedTag::Compute(const uint8_t nonce[kNonceSize],
                       absl::string_view associated_data,
                       absl::string_view text, uint8_t tag[kTagSize]) const {
  KeyedHash hash(key_, kTagSize);
  hash.Update(associated_data);
  hash.Update({reinterpret_cast<const char*>(nonce), kNonceSize});
  hash.Update(text);
  hash.Finish(tag);
}

void KeyedTag::Seal(const uint8_t nonce[kNonceSize],
                    absl::string_view associated_data, absl::string_view text,
                    uint8_t* out, uint8_t tag[kTagSize]) const {
  Compute(nonce, associated_data, text, tag);
  Keep(text, out);
}

bool KeyedTag::Open(const uint8_t nonce[kNonceSize],
                    absl::string_view associated_data, absl::string_view text,
                    const uint8_t tag[kTagSize], uint8_t* out) const {
  uint8_t expected[kTagSize];
  Compute(nonce, associated_data, text, expected);
  if (sodium_memcmp(expected, tag, kTagSize) != 0) return false;
  Keep(text, out);
  return true;
}

}  // namespace statecpp
