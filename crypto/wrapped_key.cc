// SPDX-License-Identifier: Apache-2.0
#include "crypto/wrapped_key.h"

#include "absl/types/span.h"
#include "crypto/secret_bytes.h"
#include "crypto/xchacha20_poly1305.h"

namespace statecpp {
namespace {

absl::string_view View(absl::Span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// An Aead owns its key, and this one is only lent.
XChaCha20Poly1305 CipherUnder(const Secret& key) {
  return XChaCha20Poly1305(Secret(key.RevealKeyBytes()));
}

}  // namespace

WrappedKey WrapKey(const Secret& under, absl::string_view associated_data,
                   const Secret& key, Random& random) {
  WrappedKey wrapped;
  random.Fill(absl::MakeSpan(wrapped.nonce));
  CipherUnder(under).Seal(wrapped.nonce.data(), associated_data,
                          View(key.RevealKeyBytes()), wrapped.text.data(),
                          wrapped.tag.data());
  return wrapped;
}

std::optional<Secret> UnwrapKey(const Secret& under,
                                absl::string_view associated_data,
                                const WrappedKey& wrapped) {
  SecretBytes key(Secret::kSize);
  if (!CipherUnder(under).Open(wrapped.nonce.data(), associated_data,
                               View(wrapped.text), wrapped.tag.data(),
                               key.data())) {
    return std::nullopt;
  }
  return Secret({key.data(), key.size()});
}

}  // namespace statecpp
