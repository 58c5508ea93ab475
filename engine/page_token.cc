// SPDX-License-Identifier: Apache-2.0
#include "engine/page_token.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace statecpp {
namespace {

constexpr size_t kNonceSize = Aead::kNonceSize;
constexpr size_t kFixedSize = kNonceSize + Aead::kTagSize;

std::string AssociatedData(const Keyring& keyring, absl::string_view domain,
                           absl::string_view asked) {
  return absl::StrCat(domain, View(keyring.store_id()), asked);
}

}  // namespace

std::string SealPageToken(const Keyring& keyring, Random& random,
                          absl::string_view domain, absl::string_view asked,
                          absl::string_view place) {
  std::string token(kFixedSize + place.size(), '\0');
  uint8_t* const bytes = reinterpret_cast<uint8_t*>(token.data());
  random.Fill(absl::MakeSpan(bytes, kNonceSize));
  keyring.token_cipher().Seal(bytes, AssociatedData(keyring, domain, asked),
                              place, bytes + kFixedSize, bytes + kNonceSize);
  return absl::WebSafeBase64Escape(token);
}

std::optional<std::string> OpenPageToken(const Keyring& keyring,
                                         absl::string_view domain,
                                         absl::string_view asked,
                                         absl::string_view token) {
  std::string bytes;
  // Escaped again, because the last character has bits that say nothing.
  if (!absl::WebSafeBase64Unescape(token, &bytes) ||
      bytes.size() < kFixedSize || absl::WebSafeBase64Escape(bytes) != token) {
    return std::nullopt;
  }
  const uint8_t* const nonce = reinterpret_cast<const uint8_t*>(bytes.data());
  std::string place(bytes.size() - kFixedSize, '\0');
  if (!keyring.token_cipher().Open(
          nonce, AssociatedData(keyring, domain, asked),
          absl::string_view(bytes).substr(kFixedSize), nonce + kNonceSize,
          reinterpret_cast<uint8_t*>(place.data()))) {
    return std::nullopt;
  }
  return place;
}

}  // namespace statecpp
