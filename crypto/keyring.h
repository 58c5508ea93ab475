// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_KEYRING_H_
#define STATECPP_CRYPTO_KEYRING_H_

#include <array>
#include <cstdint>
#include <memory>

#include "crypto/aead.h"
#include "crypto/keyed_tag.h"
#include "crypto/path_hash.h"
#include "crypto/secret.h"

namespace statecpp {

// How a record's text is protected. The numbers are on disk.
enum class Algorithm : uint8_t {
  kPlain = 0,  // in clear, under a keyed tag
};

// Tells stores apart: drawn at random when a store is made, and part of what
// every seal covers, so that nothing sealed for one store opens in another.
using StoreId = std::array<uint8_t, 16>;

// All that one store derives from its root key, each part under a key of its
// own:
//
// - `index`: path hashes, the LMDB keys of records
// - `plain`: the tag of plain records, and of a plain store's own values
// - `acc`: terms and chain of the accumulator
// - `header`: the tag that closes the store's header
//
// Thread-safe: nothing changes after construction.
class Keyring {
 public:
  // What new records are sealed under.
  struct Active {
    Algorithm algorithm;
    uint32_t key_id;
    const Aead* aead;
  };

  // The keyring of a plain store.
  static std::shared_ptr<const Keyring> Plain(const Secret& root,
                                              const StoreId& store_id);

  const StoreId& store_id() const { return store_id_; }
  const PathHash& paths() const { return paths_; }
  const Secret& accumulator_key() const { return accumulator_key_; }
  const Aead& header_tag() const { return header_tag_; }

  Active active() const;

  // What opens a record that names this algorithm and key; nullptr when this
  // store never had such a key.
  const Aead* Find(Algorithm algorithm, uint32_t key_id) const;

  // What the store's own values (not its records) are sealed under.
  Algorithm meta_algorithm() const { return Algorithm::kPlain; }
  const Aead& meta_aead() const { return plain_tag_; }

 private:
  Keyring(const Secret& root, const StoreId& store_id);

  const StoreId store_id_;
  const PathHash paths_;
  const Secret accumulator_key_;
  const KeyedTag header_tag_;
  const KeyedTag plain_tag_;
};

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_KEYRING_H_
