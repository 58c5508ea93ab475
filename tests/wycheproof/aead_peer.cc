// SPDX-License-Identifier: Apache-2.0
//
// Puts XChaCha20Poly1305 behind lines of hex, for vectors.py. One case a line,
//
//   KEY NONCE ASSOCIATED_DATA CIPHERTEXT TAG
//
// where "-" stands for no bytes, and one answer a line:
//
//   opened TEXT CIPHERTEXT TAG   with what sealing TEXT again gives
//   refused                      it does not open
//   nonce N bytes                not a length that an Aead can be given
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "crypto/secret.h"
#include "crypto/xchacha20_poly1305.h"

namespace statecpp {
namespace {

std::string Bytes(const std::string& hex) {
  return hex == "-" ? "" : absl::HexStringToBytes(hex);
}

std::string Hex(absl::string_view bytes) {
  return bytes.empty() ? "-" : absl::BytesToHexString(bytes);
}

uint8_t* Unsigned(std::string& bytes) {
  return reinterpret_cast<uint8_t*>(bytes.data());
}

std::string Answer(const std::string& line) {
  std::istringstream words(line);
  std::string key, nonce, data, text, tag;
  words >> key >> nonce >> data >> text >> tag;
  key = Bytes(key);
  nonce = Bytes(nonce);
  data = Bytes(data);
  text = Bytes(text);
  tag = Bytes(tag);
  if (nonce.size() != Aead::kNonceSize) {
    return absl::StrCat("nonce ", nonce.size(), " bytes");
  }
  if (key.size() != Secret::kSize || tag.size() != Aead::kTagSize) {
    std::cerr << "not a case: " << line << "\n";
    std::exit(1);
  }
  const XChaCha20Poly1305 aead(Secret({Unsigned(key), key.size()}));
  std::string opened(text.size(), '\0');
  if (!aead.Open(Unsigned(nonce), data, text, Unsigned(tag),
                 Unsigned(opened))) {
    return "refused";
  }
  // In place, as records are sealed.
  std::string sealed = opened;
  std::string sealed_tag(Aead::kTagSize, '\0');
  aead.Seal(Unsigned(nonce), data, sealed, Unsigned(sealed),
            Unsigned(sealed_tag));
  return absl::StrCat("opened ", Hex(opened), " ", Hex(sealed), " ",
                      Hex(sealed_tag));
}

}  // namespace
}  // namespace statecpp

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << statecpp::Answer(line) << "\n";
  }
}
