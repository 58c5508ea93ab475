// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_KEY_SLOT_H_
#define STATECPP_CRYPTO_KEY_SLOT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "crypto/master_key.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/store_id.h"
#include "crypto/wrapped_key.h"

namespace statecpp {

// One of the places in a store's header where its root key stands sealed under
// a master key. Several slots hold the same root key, so a master key is
// replaced by adding a slot and removing another; no record changes.
struct KeySlot {
  // How the wrapping key comes from the master key. On disk.
  enum class Derivation : uint8_t {
    kNone = 0,      // it is the master key
    kArgon2id = 1,  // of the passphrase, Argon2id version 1.3 (RFC 9106), one
                    // lane
  };
  struct Argon2id {
    std::array<uint8_t, 16> salt;
    uint32_t passes;
    uint32_t memory_kib;

    bool operator==(const Argon2id&) const = default;
  };
  // BLAKE2b-128 under the wrapping key over "lse/1/kcv\0" and the store id:
  // tells which slot a key is for before anything is opened, differs from store
  // to store, and binds the cipher, which by itself does not commit to a key.
  using CheckValue = std::array<uint8_t, 16>;

  // Its number, 0 to 255; part of what is sealed.
  uint8_t index = 0;
  std::string name = "";
  Derivation derivation = Derivation::kNone;
  Argon2id argon2id = {};
  CheckValue check_value = {};
  // Under the wrapping key; associated data "lse/1/srk\0" store_id[16]
  // index(u8).
  WrappedKey root = {};
};

// What deriving a key from a passphrase costs in new slots: 64 MiB, three
// passes.
inline constexpr uint32_t kArgon2idPasses = 3;
inline constexpr uint32_t kArgon2idMemoryKib = 64 << 10;

// A header is not trusted before it is opened: a slot that asks for more than
// this is refused without trying.
inline constexpr uint32_t kMaxArgon2idPasses = 16;
inline constexpr uint32_t kMaxArgon2idMemoryKib = 1 << 20;

// A new slot that `key` opens.
KeySlot SealSlot(const MasterKey& key, const Secret& root,
                 const StoreId& store_id, uint8_t index, Random& random);

// Of an attempt to open a slot.
struct SlotOpening {
  enum class Outcome {
    kOpened,
    kOtherKey,   // sealed under another key
    kDamaged,    // sealed under this key, and changed since
    kTooCostly,  // asks for more work or memory than the limits
  };

  Outcome outcome = Outcome::kOtherKey;
  std::optional<Secret> root = std::nullopt;
};

// Runs Argon2id once if `key` is a passphrase and the slot asks for one.
SlotOpening OpenSlot(const KeySlot& slot, const MasterKey& key,
                     const StoreId& store_id);

// What the slot's check value is for a master key that is no passphrase.
KeySlot::CheckValue CheckValueOf(const Secret& wrapping_key,
                                 const StoreId& store_id);

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_KEY_SLOT_H_
