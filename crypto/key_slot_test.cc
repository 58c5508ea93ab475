// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_slot.h"

#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

using Outcome = SlotOpening::Outcome;

template <typename Bytes>
std::string Hex(const Bytes& bytes) {
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string RootHex() { return Hex(VectorRoot().RevealKeyBytes()); }

MasterKey Passphrase(absl::string_view text) {
  return MasterKey::FromPassphrase("words", SecretBytes::Copy(text));
}

KeySlot SlotOf(const MasterKey& key, uint8_t index = 0) {
  return SealSlot(key, VectorRoot(), VectorStoreId(), index, SystemRandom());
}

Outcome OutcomeOf(const KeySlot& slot, const MasterKey& key) {
  const SlotOpening opening = OpenSlot(slot, key, VectorStoreId());
  EXPECT_EQ(opening.root.has_value(), opening.outcome == Outcome::kOpened);
  return opening.outcome;
}

// The most memory that this process ever had, in KiB.
uint64_t PeakKib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    uint64_t kib = 0;
    if (word == "VmPeak:" && status >> kib) return kib;
  }
  ADD_FAILURE() << "no VmPeak";
  return 0;
}

TEST(KeySlotTest, SealsTheSlotOfTheWorkedVector) {
  CountingRandom random(0x10);
  const KeySlot slot =
      SealSlot(VectorMasterKey(), VectorRoot(), VectorStoreId(), 0, random);
  EXPECT_EQ(slot.index, 0);
  EXPECT_EQ(slot.name, VectorMasterKey().name());
  EXPECT_EQ(slot.derivation, KeySlot::Derivation::kNone);
  EXPECT_EQ(Hex(slot.check_value), "837c0a0711844e24beae7a99a0b03e5c");
  EXPECT_EQ(slot.check_value,
            CheckValueOf(*VectorMasterKey().key(), VectorStoreId()));
  EXPECT_EQ(absl::StrCat(Hex(slot.root.nonce), Hex(slot.root.text),
                         Hex(slot.root.tag)),
            "101112131415161718191a1b1c1d1e1f2021222324252627"
            "04dd21d570ad07f4beab08e6d1bd0d233fbac5dccd5816e4de7dc34d26189eaa"
            "3e62aa6e94f693e39620a370e9354d3c");
}

TEST(KeySlotTest, OpensUnderItsKey) {
  const KeySlot slot = SlotOf(VectorMasterKey(), 7);
  const SlotOpening opening =
      OpenSlot(slot, VectorMasterKey(), VectorStoreId());
  ASSERT_EQ(opening.outcome, Outcome::kOpened);
  EXPECT_EQ(Hex(opening.root->RevealKeyBytes()), RootHex());
}

// The name is for people.
TEST(KeySlotTest, OpensUnderItsKeyByAnotherName) {
  EXPECT_EQ(OutcomeOf(SlotOf(VectorMasterKey()),
                      MasterKey::FromKey("other", VectorSecret(0x00))),
            Outcome::kOpened);
}

TEST(KeySlotTest, AnotherKeyIsKnownAsSuch) {
  const KeySlot slot = SlotOf(VectorMasterKey());
  EXPECT_EQ(OutcomeOf(slot, MasterKey::FromKey(VectorMasterKey().name(),
                                               VectorSecret(0x01))),
            Outcome::kOtherKey);
  EXPECT_EQ(OutcomeOf(slot, Passphrase("correct horse")), Outcome::kOtherKey);
}

TEST(KeySlotTest, AChangedByteIsDamageAndNotAnotherKey) {
  const KeySlot slot = SlotOf(VectorMasterKey());
  for (size_t i = 0; i < slot.root.text.size(); ++i) {
    KeySlot changed = slot;
    changed.root.text[i] ^= 1;
    EXPECT_EQ(OutcomeOf(changed, VectorMasterKey()), Outcome::kDamaged);
  }
  KeySlot changed = slot;
  changed.root.nonce[0] ^= 1;
  EXPECT_EQ(OutcomeOf(changed, VectorMasterKey()), Outcome::kDamaged);
  changed = slot;
  changed.root.tag[0] ^= 1;
  EXPECT_EQ(OutcomeOf(changed, VectorMasterKey()), Outcome::kDamaged);
  changed = slot;
  changed.index = 1;
  EXPECT_EQ(OutcomeOf(changed, VectorMasterKey()), Outcome::kDamaged);
  // The check value is what tells keys apart.
  changed = slot;
  changed.check_value[15] ^= 1;
  EXPECT_EQ(OutcomeOf(changed, VectorMasterKey()), Outcome::kOtherKey);
}

TEST(KeySlotTest, TwoStoresUnderOneKeyHaveNothingInCommon) {
  StoreId other_id = VectorStoreId();
  other_id[15] ^= 1;
  const KeySlot one = SlotOf(VectorMasterKey());
  const KeySlot other =
      SealSlot(VectorMasterKey(), VectorRoot(), other_id, 0, SystemRandom());
  EXPECT_NE(one.check_value, other.check_value);
  EXPECT_NE(one.root.nonce, other.root.nonce);
  EXPECT_NE(one.root.text, other.root.text);
  EXPECT_NE(one.root.tag, other.root.tag);

  EXPECT_EQ(OutcomeOf(other, VectorMasterKey()), Outcome::kOtherKey);
  // Nor does a slot open that was made to look like one of this store.
  KeySlot moved = other;
  moved.check_value = one.check_value;
  EXPECT_EQ(OutcomeOf(moved, VectorMasterKey()), Outcome::kDamaged);
}

TEST(PassphraseSlotTest, OpensUnderItsPassphraseAndNoOther) {
  // UTF-8, kept as it is.
  const MasterKey key = Passphrase("gr\xc3\xbc\xc3\x9f dich");
  const KeySlot slot = SlotOf(key);
  EXPECT_EQ(slot.derivation, KeySlot::Derivation::kArgon2id);
  EXPECT_EQ(slot.argon2id.memory_kib, 64u << 10);
  EXPECT_EQ(slot.argon2id.passes, 3u);

  const SlotOpening opening = OpenSlot(slot, key, VectorStoreId());
  ASSERT_EQ(opening.outcome, Outcome::kOpened);
  EXPECT_EQ(Hex(opening.root->RevealKeyBytes()), RootHex());

  EXPECT_EQ(OutcomeOf(slot, Passphrase("gruss dich")), Outcome::kOtherKey);
  EXPECT_EQ(OutcomeOf(slot, VectorMasterKey()), Outcome::kOtherKey);
}

TEST(PassphraseSlotTest, TwoSlotsOfOnePassphraseHaveNothingInCommon) {
  const KeySlot one = SlotOf(Passphrase("correct horse"), 0);
  const KeySlot other = SlotOf(Passphrase("correct horse"), 0);
  EXPECT_NE(one.argon2id.salt, other.argon2id.salt);
  EXPECT_NE(one.check_value, other.check_value);
  EXPECT_NE(one.root.text, other.root.text);
}

TEST(PassphraseSlotTest, ASlotThatAsksForTooMuchIsRefusedWithoutTrying) {
  const MasterKey key = Passphrase("correct horse");
  const KeySlot slot = {.derivation = KeySlot::Derivation::kArgon2id,
                        .argon2id = {.salt = {}, .passes = 1, .memory_kib = 8}};
  ASSERT_EQ(OutcomeOf(slot, key), Outcome::kOtherKey);

  const uint64_t peak = PeakKib();
  // 64 GiB; all there is; a little more than the limit, which could be had.
  for (const uint32_t memory_kib :
       {uint32_t{64} << 20, ~uint32_t{0}, kMaxArgon2idMemoryKib + 1}) {
    KeySlot costly = slot;
    costly.argon2id.memory_kib = memory_kib;
    EXPECT_EQ(OutcomeOf(costly, key), Outcome::kTooCostly) << memory_kib;
  }
  EXPECT_LT(PeakKib(), peak + 1024);

  for (const uint32_t passes : {kMaxArgon2idPasses + 1, ~uint32_t{0}}) {
    KeySlot costly = slot;
    costly.argon2id.passes = passes;
    EXPECT_EQ(OutcomeOf(costly, key), Outcome::kTooCostly) << passes;
  }
}

// Nor may it ask for less than the function can do.
TEST(PassphraseSlotTest, ASlotThatAsksForNothingIsRefused) {
  const MasterKey key = Passphrase("correct horse");
  KeySlot slot = {.derivation = KeySlot::Derivation::kArgon2id,
                  .argon2id = {.salt = {}, .passes = 0, .memory_kib = 8}};
  EXPECT_EQ(OutcomeOf(slot, key), Outcome::kTooCostly);
  slot.argon2id = {.salt = {}, .passes = 1, .memory_kib = 7};
  EXPECT_EQ(OutcomeOf(slot, key), Outcome::kTooCostly);
}

}  // namespace
}  // namespace statecpp
