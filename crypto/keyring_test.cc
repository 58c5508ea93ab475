// SPDX-License-Identifier: Apache-2.0
//
// The worked vector: root key 20..3f, and what every later format rests on.
// Each figure was computed with an independent implementation of BLAKE2b.
#include "crypto/keyring.h"

#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "crypto/random.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

Secret VectorRoot() {
  std::vector<uint8_t> bytes(Secret::kSize);
  std::iota(bytes.begin(), bytes.end(), 0x20);
  return Secret(bytes);
}

template <typename Bytes>
std::string Hex(const Bytes& bytes) {
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

TEST(KeyringTest, DerivesTheIndexKeyOfTheWorkedVector) {
  EXPECT_EQ(Hex(VectorRoot().Derive("index").RevealKeyBytes()),
            "4b460ca6be506859b7d9d8224beb6a03b80404a302ef8be422607eca91038346");
}

TEST(KeyringTest, HashesThePathsOfTheWorkedVector) {
  const std::shared_ptr<const Keyring> keyring =
      Keyring::Plain(VectorRoot(), StoreId{});
  EXPECT_EQ(Hex(keyring->paths().OfAncestor("orders||")), "c85f34ac6a74d822");
  EXPECT_EQ(Hex(keyring->paths().OfAncestor("orders||OrderActor||")),
            "0bd5586fbb66a875");
  EXPECT_EQ(Hex(keyring->paths().OfAncestor("orders||OrderActor||42||")),
            "915bd4a74096321e");
  EXPECT_EQ(Hex(keyring->paths().OfLeaf("orders||OrderActor||42||state")),
            "352df9b873b2831c89f6d4064b8da143");
}

TEST(KeyringTest, FindsNoKeyThatTheStoreNeverHad) {
  const std::shared_ptr<const Keyring> keyring =
      Keyring::Plain(VectorRoot(), StoreId{});
  EXPECT_NE(keyring->Find(Algorithm::kPlain, 0), nullptr);
  EXPECT_EQ(keyring->Find(Algorithm::kPlain, 1), nullptr);
  EXPECT_EQ(keyring->Find(static_cast<Algorithm>(1), 0), nullptr);
}

TEST(KeyedTagTest, OpensWhatItSealedAndNothingElse) {
  const KeyedTag aead(VectorRoot().Derive("plain"));
  const std::string nonce(Aead::kNonceSize, 'n');
  const uint8_t* nonce_bytes = reinterpret_cast<const uint8_t*>(nonce.data());
  const std::string text = "text";
  std::string sealed(text.size(), '\0');
  uint8_t tag[Aead::kTagSize];
  aead.Seal(nonce_bytes, "ad", text, reinterpret_cast<uint8_t*>(sealed.data()),
            tag);

  std::string opened(text.size(), '\0');
  uint8_t* out = reinterpret_cast<uint8_t*>(opened.data());
  EXPECT_TRUE(aead.Open(nonce_bytes, "ad", sealed, tag, out));
  EXPECT_EQ(opened, text);

  EXPECT_FALSE(aead.Open(nonce_bytes, "da", sealed, tag, out));
  EXPECT_FALSE(aead.Open(nonce_bytes, "ad", "texx", tag, out));
  EXPECT_FALSE(aead.Open(nonce_bytes, "ad", "tex", tag, out));
  std::string other_nonce = nonce;
  other_nonce[23] = 'm';
  EXPECT_FALSE(aead.Open(reinterpret_cast<const uint8_t*>(other_nonce.data()),
                         "ad", sealed, tag, out));
  for (uint8_t& byte : tag) {
    byte ^= 0x80;
    EXPECT_FALSE(aead.Open(nonce_bytes, "ad", sealed, tag, out));
    byte ^= 0x80;
  }
}

}  // namespace
}  // namespace statecpp
