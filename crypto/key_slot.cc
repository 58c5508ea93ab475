// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_slot.h"

#include <sodium.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "crypto/keyed_hash.h"

namespace statecpp {
namespace {

std::string AssociatedData(const StoreId& store_id, uint8_t index) {
  static constexpr absl::string_view kDomain("lse/1/srk\0", 10);
  const char index_byte = static_cast<char>(index);
  return absl::StrCat(kDomain, View(store_id),
                      absl::string_view(&index_byte, 1));
}

// nullopt where the memory for it cannot be had.
std::optional<Secret> Derive(const SecretBytes& passphrase,
                             const KeySlot::Argon2id& argon2id) {
  static_assert(sizeof(argon2id.salt) == crypto_pwhash_argon2id_SALTBYTES);
  SecretBytes key(Secret::kSize);
  const absl::string_view text = passphrase.RevealText();
  if (crypto_pwhash_argon2id(key.data(), key.size(), text.data(), text.size(),
                             argon2id.salt.data(), argon2id.passes,
                             size_t{argon2id.memory_kib} << 10,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return std::nullopt;
  }
  return Secret({key.data(), key.size()});
}

Secret Copy(const Secret& key) { return Secret(key.RevealKeyBytes()); }

bool IsTooCostly(const KeySlot::Argon2id& argon2id) {
  return argon2id.passes < crypto_pwhash_argon2id_OPSLIMIT_MIN ||
         argon2id.passes > kMaxArgon2idPasses ||
         argon2id.memory_kib < crypto_pwhash_argon2id_MEMLIMIT_MIN >> 10 ||
         argon2id.memory_kib > kMaxArgon2idMemoryKib;
}

}  // namespace

KeySlot::CheckValue CheckValueOf(const Secret& wrapping_key,
                                 const StoreId& store_id) {
  static constexpr absl::string_view kDomain("lse/1/kcv\0", 10);
  KeySlot::CheckValue value;
  KeyedHash hash(wrapping_key, value.size());
  hash.Update(kDomain);
  hash.Update(View(store_id));
  hash.Finish(value.data());
  return value;
}

KeySlot SealSlot(const MasterKey& key, const Secret& root,
                 const StoreId& store_id, uint8_t index, Random& random) {
  KeySlot slot = {.index = index, .name = key.name()};
  std::optional<Secret> wrapping_key;
  if (key.key() != nullptr) {
    wrapping_key = Copy(*key.key());
  } else {
    slot.derivation = KeySlot::Derivation::kArgon2id;
    slot.argon2id = {.salt = {},
                     .passes = kArgon2idPasses,
                     .memory_kib = kArgon2idMemoryKib};
    random.Fill(absl::MakeSpan(slot.argon2id.salt));
    wrapping_key = Derive(*key.passphrase(), slot.argon2id);
    // As where any other allocation fails.
    if (!wrapping_key.has_value()) std::abort();
  }
  slot.check_value = CheckValueOf(*wrapping_key, store_id);
  slot.root =
      WrapKey(*wrapping_key, AssociatedData(store_id, index), root, random);
  return slot;
}

SlotOpening OpenSlot(const KeySlot& slot, const MasterKey& key,
                     const StoreId& store_id) {
  using Outcome = SlotOpening::Outcome;
  const bool wants_passphrase =
      slot.derivation == KeySlot::Derivation::kArgon2id;
  if (wants_passphrase != (key.passphrase() != nullptr)) {
    return {.outcome = Outcome::kOtherKey};
  }
  std::optional<Secret> wrapping_key;
  if (wants_passphrase) {
    if (IsTooCostly(slot.argon2id)) return {.outcome = Outcome::kTooCostly};
    wrapping_key = Derive(*key.passphrase(), slot.argon2id);
    if (!wrapping_key.has_value()) return {.outcome = Outcome::kTooCostly};
  } else {
    wrapping_key = Copy(*key.key());
  }
  const KeySlot::CheckValue value = CheckValueOf(*wrapping_key, store_id);
  if (sodium_memcmp(value.data(), slot.check_value.data(), value.size()) != 0) {
    return {.outcome = Outcome::kOtherKey};
  }
  std::optional<Secret> root =
      UnwrapKey(*wrapping_key, AssociatedData(store_id, slot.index), slot.root);
  if (!root.has_value()) return {.outcome = Outcome::kDamaged};
  return {.outcome = Outcome::kOpened, .root = std::move(root)};
}

}  // namespace statecpp
