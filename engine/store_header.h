// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_HEADER_H_
#define STATECPP_ENGINE_STORE_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/key_slot.h"
#include "crypto/keyring.h"
#include "crypto/random.h"

namespace statecpp {

// The first value of a store: who it is and what it is sealed with. Format v1,
// final; little endian:
//
//   header    := magic[8] = "statecpp" format(u16) = 1 min_reader(u16) = 1
//                mode(u8) 0[3] store_id[16] (plain | sealed)
//                nonce[24] tag[16] checksum[16]
//   mode      := 0: plain; 1: sealed
//   plain     := root_key[32]
//   sealed    := next_key_id(u32) active_key_id(u32)
//                slot_count(u8) slot* key_count(u16) data_key*
//   slot      := index(u8) name_size(u8) name derivation(u8) argon2id?
//                check_value[16] wrapped[72]
//   argon2id  := salt[16] passes(u32) memory_kib(u32), if derivation is 1
//   data_key  := id(u32) wrapped[72]
//   tag       := keyed tag, under the root key's `header` subkey, of all before
//                the nonce; associated data "lse/1/header\0"
//   checksum  := BLAKE2b-128 of all before, without a key
//
// key_slot.h and wrapped_key.h tell what slots and wrapped keys are. In a plain
// store the root key stands here in clear: it makes the same hashes and tags as
// a sealed store's and protects nothing.
//
// The checksum stops no forger, whom the tag stops. It tells damage from a
// wrong key before any key is tried, and keeps damaged numbers from deciding
// how much memory a passphrase costs.
//
// A program that is older than `min_reader` refuses the store.
struct StoreHeader {
  StoreId store_id;
  bool sealed;
  // The others are of a sealed store; 1 to kMaxKeySlots slots, at least one
  // data key, in order of their ids.
  std::vector<KeySlot> slots;
  std::vector<WrappedDataKey> data_keys;
  uint32_t active_key_id;
  // Ids below are or were in use.
  uint32_t next_key_id;
};

inline constexpr size_t kMaxKeySlots = 8;

// The header of a new plain store, with a fresh identity and root key.
std::string NewPlainHeader(Random& random);

// The header of a new sealed store, with one slot that `key` opens and one data
// key. Runs Argon2id if `key` is a passphrase.
std::string NewSealedHeader(const MasterKey& key, Random& random);

// What the header says, for whoever has no key; nothing of it is proved.
//
// DATA_LOSS: not a header, or a damaged one.
// UNIMPLEMENTED: of a format newer than this program.
absl::StatusOr<StoreHeader> ReadHeader(absl::string_view bytes,
                                       absl::string_view path);

// The format that a header which can be read was written in: this program's, or
// a newer one that it may read; 0 where there is no header.
int FormatOfHeader(absl::string_view bytes);

struct OpenedHeader {
  StoreHeader header;
  std::shared_ptr<const Keyring> keyring;
};

// The store's keys. A plain store wants no master keys (`keys` is null), a
// sealed one a key of one of its slots. `path` is for the error.
//
// PERMISSION_DENIED: the store is sealed, and no key was given, or none that
//     opens a slot.
// INVALID_ARGUMENT: the store is plain, and keys were given.
// Those of ReadHeader.
absl::StatusOr<OpenedHeader> OpenHeader(absl::string_view bytes,
                                        const MasterKeys* keys,
                                        absl::string_view path);

// The bytes of a sealed store's changed header, under its keyring.
std::string SealHeader(const StoreHeader& header, const Keyring& keyring,
                       Random& random);

// The header and keys of a store whose root key is at hand instead of a master
// key. DATA_LOSS also where the root key is not this store's.
absl::StatusOr<OpenedHeader> OpenHeaderByRoot(absl::string_view bytes,
                                              const Secret& root,
                                              absl::string_view path);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_HEADER_H_
