// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_PATH_HASH_H_
#define STATECPP_CRYPTO_PATH_HASH_H_

#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/string_view.h"
#include "crypto/secret.h"

namespace statecpp {

// The keyed hashes that stand on disk in place of key names. Each covers the
// whole path from the root, never a single segment, so that equal segments
// below different parents cannot be linked.
//
// Thread-safe.
class PathHash {
 public:
  static constexpr size_t kAncestorSize = 8;
  static constexpr size_t kLeafSize = 16;
  using Ancestor = std::array<uint8_t, kAncestorSize>;
  using Leaf = std::array<uint8_t, kLeafSize>;

  explicit PathHash(Secret key) : key_(std::move(key)) {}

  // Of a prefix that ends in "||". 64 bits: two prefixes that collide share a
  // range on disk, which readers filter by the record's own key.
  Ancestor OfAncestor(absl::string_view prefix) const;

  // Of a whole key. 128 bits: two keys that collide are told apart by the key
  // inside the record and reported, never mixed up.
  Leaf OfLeaf(absl::string_view key) const;

 private:
  Secret key_;
};

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_PATH_HASH_H_
