// SPDX-License-Identifier: Apache-2.0
#include "crypto/wrapped_key.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

template <typename Bytes>
std::string Hex(const Bytes& bytes) {
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string Hex(const WrappedKey& wrapped) {
  return absl::StrCat(Hex(wrapped.nonce), Hex(wrapped.text), Hex(wrapped.tag));
}

TEST(WrappedKeyTest, WrapsTheDataKeyOfTheWorkedVector) {
  EXPECT_EQ(Hex(VectorRoot().Derive("wrap").RevealKeyBytes()),
            "d4ac2f11da369086fe7b123c7e3c30d065e2328997a62eaf7fb5148fa1a3eff8");
  EXPECT_EQ(Hex(VectorDataKey().key),
            "303132333435363738393a3b3c3d3e3f4041424344454647"
            "57a55ec70f8afc6f07f1299cdd9555a830676f04802ef040e436d1b127f6b1bc"
            "16447658472b50decb9bbc6f317b57c3");
}

TEST(WrappedKeyTest, UnwrapsWhatItWrapped) {
  const Secret under = VectorSecret(1);
  const WrappedKey wrapped =
      WrapKey(under, "place", VectorSecret(2), SystemRandom());
  const std::optional<Secret> key = UnwrapKey(under, "place", wrapped);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(Hex(key->RevealKeyBytes()), Hex(VectorSecret(2).RevealKeyBytes()));
  EXPECT_NE(Hex(wrapped.text), Hex(VectorSecret(2).RevealKeyBytes()));
}

TEST(WrappedKeyTest, UnwrapsNothingElse) {
  const Secret under = VectorSecret(1);
  const WrappedKey wrapped =
      WrapKey(under, "place", VectorSecret(2), SystemRandom());
  EXPECT_FALSE(UnwrapKey(VectorSecret(3), "place", wrapped).has_value());
  EXPECT_FALSE(UnwrapKey(under, "plaice", wrapped).has_value());
  for (size_t i = 0; i < wrapped.nonce.size(); ++i) {
    WrappedKey changed = wrapped;
    changed.nonce[i] ^= 1;
    EXPECT_FALSE(UnwrapKey(under, "place", changed).has_value());
  }
  for (size_t i = 0; i < wrapped.text.size(); ++i) {
    WrappedKey changed = wrapped;
    changed.text[i] ^= 0x80;
    EXPECT_FALSE(UnwrapKey(under, "place", changed).has_value());
  }
  for (size_t i = 0; i < wrapped.tag.size(); ++i) {
    WrappedKey changed = wrapped;
    changed.tag[i] ^= 1;
    EXPECT_FALSE(UnwrapKey(under, "place", changed).has_value());
  }
}

TEST(WrappedKeyTest, LooksDifferentEachTime) {
  const Secret under = VectorSecret(1);
  const Secret key = VectorSecret(2);
  const WrappedKey once = WrapKey(under, "place", key, SystemRandom());
  const WrappedKey again = WrapKey(under, "place", key, SystemRandom());
  EXPECT_NE(once.nonce, again.nonce);
  EXPECT_NE(once.text, again.text);
  EXPECT_NE(once.tag, again.tag);
}

}  // namespace
}  // namespace statecpp
