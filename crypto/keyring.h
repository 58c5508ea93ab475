// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_KEYRING_H_
#define STATECPP_CRYPTO_KEYRING_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "crypto/aead.h"
#include "crypto/keyed_tag.h"
#include "crypto/path_hash.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/store_id.h"
#include "crypto/wrapped_key.h"
#include "crypto/xchacha20_poly1305.h"

namespace statecpp {

// How a record's text is protected. The numbers are on disk.
enum class Algorithm : uint8_t {
  kPlain = 0,              // in clear, under a keyed tag
  kXChaCha20Poly1305 = 1,  // sealed
};

// A data key as a header keeps it.
struct WrappedDataKey {
  uint32_t id;  // from 1; never used again
  // Under the `wrap` key; associated data "lse/1/dek\0" store_id[16] id(u32).
  WrappedKey key;
};

// All the keys of one store: what it derives from its root key, each part under
// a key of its own,
//
// - `index`: path hashes, the LMDB keys of records
// - `acc`: terms and chain of the accumulator
// - `header`: the tag that closes the store's header
// - `plain`: the tag of plain records, and of a plain store's own values
// - `meta`: a sealed store's own values
// - `token`: what callers carry from one page to the next
// - `wrap`: what the data keys are wrapped under
//
// and the data keys, under which a sealed store's records are sealed: random,
// each with an id that stands in the records. A plain store has none.
//
// Nothing changes after construction. When a store's data keys change, another
// Keyring takes this one's place, which lasts as long as someone still reads or
// writes by it; both share what comes from the root key.
//
// Thread-safe.
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

  // The keyring of a sealed store. nullptr: a data key was not wrapped for this
  // store, or `active_id` is none of them.
  static std::shared_ptr<const Keyring> Sealed(
      const Secret& root, const StoreId& store_id,
      const std::vector<WrappedDataKey>& data_keys, uint32_t active_id);

  // This keyring with other data keys. nullptr as above.
  std::shared_ptr<const Keyring> WithDataKeys(
      const std::vector<WrappedDataKey>& data_keys, uint32_t active_id) const;

  // A new data key of that id for a store with this root key.
  static WrappedDataKey NewDataKey(const Secret& root, const StoreId& store_id,
                                   uint32_t id, Random& random);

  bool sealed() const { return active_id_ != kPlainKeyId; }
  const Secret& root() const { return base_->root; }
  const StoreId& store_id() const { return base_->store_id; }
  const PathHash& paths() const { return base_->paths; }
  const Secret& accumulator_key() const { return base_->accumulator_key; }
  const Aead& header_tag() const { return base_->header_tag; }

  Active active() const;

  // What opens a record that names this algorithm and key; nullptr when this
  // store has no such key, or no longer.
  const Aead* Find(Algorithm algorithm, uint32_t key_id) const;

  // What the store's own values (not its records) are sealed under.
  Algorithm meta_algorithm() const {
    return sealed() ? Algorithm::kXChaCha20Poly1305 : Algorithm::kPlain;
  }
  const Aead& meta_aead() const {
    if (sealed()) return base_->meta_cipher;
    return base_->plain_tag;
  }

  // What continuation tokens are sealed under, in plain stores too: path hashes
  // stand in them, which are no business of whoever carries a token.
  const Aead& token_cipher() const { return base_->token_cipher; }

 private:
  // Plain records have no data key.
  static constexpr uint32_t kPlainKeyId = 0;

  // What comes from the root key.
  struct Base {
    Base(const Secret& root, const StoreId& store_id);

    const Secret root;
    const StoreId store_id;
    const PathHash paths;
    const Secret accumulator_key;
    const KeyedTag header_tag;
    const KeyedTag plain_tag;
    const XChaCha20Poly1305 meta_cipher;
    const XChaCha20Poly1305 token_cipher;
    const Secret wrap;
  };
  using DataKeys = std::map<uint32_t, const XChaCha20Poly1305>;

  Keyring(std::shared_ptr<const Base> base, DataKeys data_keys,
          uint32_t active_id)
      : base_(std::move(base)),
        data_keys_(std::move(data_keys)),
        active_id_(active_id) {}

  static std::shared_ptr<const Keyring> Unwrap(
      std::shared_ptr<const Base> base,
      const std::vector<WrappedDataKey>& data_keys, uint32_t active_id);

  const std::shared_ptr<const Base> base_;
  const DataKeys data_keys_;
  const uint32_t active_id_;
};

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_KEYRING_H_
