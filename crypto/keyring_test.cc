// SPDX-License-Identifier: Apache-2.0
//
// The worked vector: root key 20..3f, and what every later format rests on.
// Each figure was computed with an independent implementation of BLAKE2b.
#include "crypto/keyring.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "crypto/random.h"
#include "gtest/gtest.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

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

TEST(SealedKeyringTest, OpensTheDataKeysOfItsStore) {
  const std::shared_ptr<const Keyring> keyring = Keyring::Sealed(
      VectorRoot(), VectorStoreId(), {VectorDataKey(3), VectorDataKey(4)}, 4);
  ASSERT_NE(keyring, nullptr);
  EXPECT_TRUE(keyring->sealed());
  EXPECT_EQ(keyring->active().key_id, 4u);
  EXPECT_EQ(keyring->active().algorithm, Algorithm::kXChaCha20Poly1305);
  EXPECT_EQ(keyring->active().aead,
            keyring->Find(Algorithm::kXChaCha20Poly1305, 4));
  EXPECT_NE(keyring->Find(Algorithm::kXChaCha20Poly1305, 3), nullptr);
  EXPECT_EQ(keyring->Find(Algorithm::kXChaCha20Poly1305, 5), nullptr);
  EXPECT_EQ(keyring->Find(Algorithm::kXChaCha20Poly1305, 0), nullptr);
  // A record in clear has no place in a sealed store.
  EXPECT_EQ(keyring->Find(Algorithm::kPlain, 0), nullptr);
  EXPECT_EQ(keyring->Find(Algorithm::kPlain, 3), nullptr);
}

TEST(SealedKeyringTest, AKeyOfAnotherStoreOrIdDoesNotOpen) {
  const StoreId id = VectorStoreId();
  EXPECT_NE(Keyring::Sealed(VectorRoot(), id, {VectorDataKey(3)}, 3), nullptr);
  EXPECT_EQ(Keyring::Sealed(VectorSecret(0x21), id, {VectorDataKey(3)}, 3),
            nullptr);
  StoreId other_id = id;
  other_id[0] ^= 1;
  EXPECT_EQ(Keyring::Sealed(VectorRoot(), other_id, {VectorDataKey(3)}, 3),
            nullptr);
  WrappedDataKey renamed = VectorDataKey(3);
  renamed.id = 4;
  EXPECT_EQ(Keyring::Sealed(VectorRoot(), id, {renamed}, 4), nullptr);
  WrappedDataKey damaged = VectorDataKey(3);
  damaged.key.text[31] ^= 1;
  EXPECT_EQ(Keyring::Sealed(VectorRoot(), id, {damaged}, 3), nullptr);
  // Nor may one be missing that is not in use: records may be under it.
  EXPECT_EQ(Keyring::Sealed(VectorRoot(), id, {VectorDataKey(4), damaged}, 4),
            nullptr);
}

TEST(SealedKeyringTest, TheActiveKeyIsOneOfTheKeys) {
  for (const uint32_t active_id : {0u, 4u}) {
    EXPECT_EQ(Keyring::Sealed(VectorRoot(), VectorStoreId(), {VectorDataKey(3)},
                              active_id),
              nullptr);
  }
  EXPECT_EQ(Keyring::Sealed(VectorRoot(), VectorStoreId(), {}, 1), nullptr);
}

TEST(SealedKeyringTest, OtherDataKeysTakeTheirPlace) {
  const std::shared_ptr<const Keyring> before = SealedVectorKeyring();
  const WrappedDataKey added =
      Keyring::NewDataKey(VectorRoot(), VectorStoreId(), 4, SystemRandom());
  EXPECT_EQ(added.id, 4u);
  const std::shared_ptr<const Keyring> both =
      before->WithDataKeys({VectorDataKey(3), added}, 4);
  ASSERT_NE(both, nullptr);
  const std::shared_ptr<const Keyring> after = both->WithDataKeys({added}, 4);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->Find(Algorithm::kXChaCha20Poly1305, 3), nullptr);
  EXPECT_NE(before->Find(Algorithm::kXChaCha20Poly1305, 3), nullptr);
  EXPECT_EQ(before->WithDataKeys({added}, 3), nullptr);
}

TEST(SealedKeyringTest, EachDataKeyIsANewOne) {
  const std::string nonce(Aead::kNonceSize, 'n');
  const auto sealed_under_a_new_key = [&nonce] {
    const auto keyring = Keyring::Sealed(
        VectorRoot(), VectorStoreId(),
        {Keyring::NewDataKey(VectorRoot(), VectorStoreId(), 1, SystemRandom())},
        1);
    std::string out(4 + Aead::kTagSize, '\0');
    uint8_t* const bytes = reinterpret_cast<uint8_t*>(out.data());
    keyring->active().aead->Seal(reinterpret_cast<const uint8_t*>(nonce.data()),
                                 "", "text", bytes, bytes + 4);
    return out;
  };
  EXPECT_NE(sealed_under_a_new_key(), sealed_under_a_new_key());
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
