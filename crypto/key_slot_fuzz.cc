// SPDX-License-Identifier: Apache-2.0
//
// A slot gives away the root key to the key that it was sealed under, as long
// as it is what was sealed, and never takes more memory than it may.
#include <algorithm>
#include <array>
#include <string>

#include "crypto/key_slot.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/given_random.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

using Outcome = SlotOpening::Outcome;

template <size_t kSize>
void Fill(FuzzInput& input, std::array<uint8_t, kSize>& out) {
  for (uint8_t& byte : out) byte = input.Byte();
}

KeySlot TakeSlot(FuzzInput& input) {
  KeySlot slot;
  slot.index = input.Byte();
  slot.derivation = static_cast<KeySlot::Derivation>(input.Below(2));
  slot.argon2id.passes = input.Number<uint32_t>();
  slot.argon2id.memory_kib = input.Number<uint32_t>();
  Fill(input, slot.argon2id.salt);
  Fill(input, slot.check_value);
  Fill(input, slot.root.nonce);
  Fill(input, slot.root.text);
  Fill(input, slot.root.tag);
  slot.name = std::string(input.Sized());
  return slot;
}

bool IsVectorRoot(const SlotOpening& opening) {
  const Secret expected = VectorRoot();
  const absl::Span<const uint8_t> root = opening.root->RevealKeyBytes();
  const absl::Span<const uint8_t> wanted = expected.RevealKeyBytes();
  return std::equal(root.begin(), root.end(), wanted.begin(), wanted.end());
}

// One that nobody sealed. Its check value may be that of the key: whoever saw a
// header has it.
void OpenForeign(FuzzInput input, bool fit) {
  KeySlot slot = TakeSlot(input);
  const MasterKey key = VectorMasterKey();
  if (fit) slot.check_value = CheckValueOf(*key.key(), VectorStoreId());
  const SlotOpening opening = OpenSlot(slot, key, VectorStoreId());
  const bool for_passphrases =
      slot.derivation == KeySlot::Derivation::kArgon2id;
  Expect(!opening.root.has_value(), "a slot that nobody sealed has no key");
  Expect(opening.outcome ==
             (fit && !for_passphrases ? Outcome::kDamaged : Outcome::kOtherKey),
         "the check value tells damage from another key");
}

// Derives nothing but where that is cheap: a fuzzer has no time.
void OpenByPassphrase(FuzzInput input) {
  KeySlot slot = TakeSlot(input);
  slot.derivation = KeySlot::Derivation::kArgon2id;
  KeySlot::Argon2id& cost = slot.argon2id;
  const bool is_allowed =
      cost.passes >= 1 && cost.passes <= kMaxArgon2idPasses &&
      cost.memory_kib >= 8 && cost.memory_kib <= kMaxArgon2idMemoryKib;
  if (is_allowed) cost.memory_kib = 8 + cost.memory_kib % 8;
  const MasterKey key =
      MasterKey::FromPassphrase("words", SecretBytes::Copy("open sesame"));
  const SlotOpening opening = OpenSlot(slot, key, VectorStoreId());
  Expect(!opening.root.has_value(), "a slot that nobody sealed has no key");
  Expect(opening.outcome ==
             (is_allowed ? Outcome::kOtherKey : Outcome::kTooCostly),
         "what costs too much is not tried");
}

void SealAndChange(FuzzInput input) {
  const uint8_t index = input.Byte();
  const uint8_t change = std::max<uint8_t>(input.Byte(), 1);
  const int what = input.Below(6);
  const size_t at = input.Byte();
  GivenRandom random(input.Rest());
  const MasterKey key = VectorMasterKey();
  KeySlot slot = SealSlot(key, VectorRoot(), VectorStoreId(), index, random);
  const SlotOpening whole = OpenSlot(slot, key, VectorStoreId());
  Expect(whole.outcome == Outcome::kOpened && IsVectorRoot(whole),
         "a slot that was sealed opens");
  StoreId store_id = VectorStoreId();
  Outcome expected = Outcome::kDamaged;
  if (what == 0) {
    slot.index ^= change;
  } else if (what == 1) {
    slot.check_value[at % slot.check_value.size()] ^= change;
    expected = Outcome::kOtherKey;
  } else if (what == 2) {
    slot.root.nonce[at % slot.root.nonce.size()] ^= change;
  } else if (what == 3) {
    slot.root.text[at % slot.root.text.size()] ^= change;
  } else if (what == 4) {
    slot.root.tag[at % slot.root.tag.size()] ^= change;
  } else {
    store_id[at % store_id.size()] ^= change;
    expected = Outcome::kOtherKey;
  }
  Expect(OpenSlot(slot, key, store_id).outcome == expected,
         "a slot that was changed does not open");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  switch (input.Below(4)) {
    case 0:
      OpenForeign(input, /*fit=*/false);
      break;
    case 1:
      OpenForeign(input, /*fit=*/true);
      break;
    case 2:
      OpenByPassphrase(input);
      break;
    case 3:
      SealAndChange(input);
      break;
  }
}

}  // namespace statecpp
