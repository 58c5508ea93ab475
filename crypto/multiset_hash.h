// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_MULTISET_HASH_H_
#define STATECPP_CRYPTO_MULTISET_HASH_H_

#include <array>
#include <cstdint>

namespace statecpp {

// The sum, modulo 2^256, of one keyed 32-byte term per element: a hash of a
// multiset that can be brought up to date by the element that goes and the one
// that comes, in any order. Who cannot compute terms cannot make a different
// multiset with the same sum. (MSet-Add-Hash: Clarke, Devadas, van Dijk,
// Gassend, Suh, "Incremental Multiset Hash Functions", ASIACRYPT 2003.)
//
// The sum itself stays secret: it is kept sealed and never leaves the program.
// Thread-compatible.
class MultisetHash {
 public:
  using Term = std::array<uint8_t, 32>;  // little endian

  MultisetHash() : sum_{} {}
  explicit MultisetHash(const Term& sum) : sum_(sum) {}

  void Add(const Term& term);
  void Subtract(const Term& term);

  const Term& sum() const { return sum_; }

  bool operator==(const MultisetHash&) const = default;

 private:
  Term sum_;
};

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_MULTISET_HASH_H_
