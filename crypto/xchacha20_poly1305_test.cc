// SPDX-License-Identifier: Apache-2.0
#include "crypto/xchacha20_poly1305.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

const uint8_t* Bytes(const std::string& text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

XChaCha20Poly1305 Cipher(absl::string_view hex_key) {
  const std::string key = absl::HexStringToBytes(hex_key);
  return XChaCha20Poly1305(Secret(absl::MakeConstSpan(Bytes(key), key.size())));
}

std::string Sealed(const Aead& aead, const std::string& nonce,
                   absl::string_view associated_data, absl::string_view text) {
  std::string out(text.size() + Aead::kTagSize, '\0');
  uint8_t* const bytes = reinterpret_cast<uint8_t*>(out.data());
  aead.Seal(Bytes(nonce), associated_data, text, bytes, bytes + text.size());
  return out;
}

// Whether text and tag open, to `text` if given.
bool Opens(const Aead& aead, const std::string& nonce,
           absl::string_view associated_data, const std::string& sealed,
           std::string* text = nullptr) {
  const size_t size = sealed.size() - Aead::kTagSize;
  std::string out(size, '\0');
  const bool opened = aead.Open(
      Bytes(nonce), associated_data, absl::string_view(sealed).substr(0, size),
      Bytes(sealed) + size, reinterpret_cast<uint8_t*>(out.data()));
  if (opened && text != nullptr) *text = out;
  return opened;
}

// draft-irtf-cfrg-xchacha-03, appendix A.3.1:
// https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-xchacha-03
TEST(XChaCha20Poly1305Test, SealsThePublishedVector) {
  const auto cipher = Cipher(
      "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const std::string nonce = absl::HexStringToBytes(
      "404142434445464748494a4b4c4d4e4f5051525354555657");
  const std::string associated_data =
      absl::HexStringToBytes("50515253c0c1c2c3c4c5c6c7");
  const std::string text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one "
      "tip for the future, sunscreen would be it.";
  const std::string sealed = Sealed(cipher, nonce, associated_data, text);
  EXPECT_EQ(absl::BytesToHexString(sealed),
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
            "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
            "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
            "21f9664c97637da9768812f615c68b13b52e"
            "c0875924c1c7987947deafd8780acf49");
  std::string opened;
  EXPECT_TRUE(Opens(cipher, nonce, associated_data, sealed, &opened));
  EXPECT_EQ(opened, text);
}

class XChaCha20Poly1305TamperTest : public ::testing::Test {
 protected:
  const XChaCha20Poly1305 cipher_ = Cipher(std::string(64, '1'));
  const std::string nonce_ = std::string(Aead::kNonceSize, 'n');
  const std::string sealed_ = Sealed(cipher_, nonce_, "data", "text");
};

TEST_F(XChaCha20Poly1305TamperTest, OpensWhatWasSealed) {
  std::string text;
  EXPECT_TRUE(Opens(cipher_, nonce_, "data", sealed_, &text));
  EXPECT_EQ(text, "text");
}

TEST_F(XChaCha20Poly1305TamperTest, NoChangedBitOpens) {
  for (size_t bit = 0; bit < 8 * sealed_.size(); ++bit) {
    std::string changed = sealed_;
    changed[bit / 8] ^= 1 << bit % 8;
    EXPECT_FALSE(Opens(cipher_, nonce_, "data", changed)) << bit;
  }
  for (size_t bit = 0; bit < 8 * nonce_.size(); ++bit) {
    std::string changed = nonce_;
    changed[bit / 8] ^= 1 << bit % 8;
    EXPECT_FALSE(Opens(cipher_, changed, "data", sealed_)) << bit;
  }
}

TEST_F(XChaCha20Poly1305TamperTest, NoOtherLengthOpens) {
  for (size_t size = Aead::kTagSize; size < sealed_.size(); ++size) {
    EXPECT_FALSE(Opens(cipher_, nonce_, "data", sealed_.substr(0, size)));
  }
  EXPECT_FALSE(Opens(cipher_, nonce_, "data", sealed_ + "x"));
}

TEST_F(XChaCha20Poly1305TamperTest, NoOtherPlaceOrKeyOpens) {
  for (const char* associated_data : {"", "dat", "data ", "tada"}) {
    EXPECT_FALSE(Opens(cipher_, nonce_, associated_data, sealed_));
  }
  EXPECT_FALSE(
      Opens(Cipher(std::string(63, '1') + "2"), nonce_, "data", sealed_));
}

TEST_F(XChaCha20Poly1305TamperTest, TextOfNoLengthIsSealedToo) {
  const std::string sealed = Sealed(cipher_, nonce_, "data", "");
  EXPECT_EQ(sealed.size(), Aead::kTagSize);
  EXPECT_TRUE(Opens(cipher_, nonce_, "data", sealed));
  EXPECT_FALSE(Opens(cipher_, nonce_, "", sealed));
}

TEST_F(XChaCha20Poly1305TamperTest, SealsAndOpensInPlace) {
  std::string bytes = "text" + std::string(Aead::kTagSize, '\0');
  uint8_t* const text = reinterpret_cast<uint8_t*>(bytes.data());
  cipher_.Seal(Bytes(nonce_), "data", {bytes.data(), 4}, text, text + 4);
  EXPECT_EQ(bytes, sealed_);
  EXPECT_TRUE(
      cipher_.Open(Bytes(nonce_), "data", {bytes.data(), 4}, text + 4, text));
  EXPECT_EQ(bytes.substr(0, 4), "text");
}

}  // namespace
}  // namespace statecpp
