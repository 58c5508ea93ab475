// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_WORKED_VECTOR_H_
#define STATECPP_TESTS_SUPPORT_WORKED_VECTOR_H_

#include <cstdint>
#include <memory>
#include <numeric>
#include <vector>

#include "absl/types/span.h"
#include "crypto/keyring.h"
#include "crypto/random.h"
#include "crypto/secret.h"

// The store that the published bytes of every format belong to: root key
// 20..3f, store id a0..af, and for random bytes the numbers from some start on.
// The bytes in tests were computed from the grammars by a program that shares
// nothing with this one (BLAKE2b of Python's hashlib).
namespace statecpp {

constexpr char kVectorKey[] = "orders||OrderActor||42||state";

inline StoreId VectorStoreId() {
  StoreId id;
  std::iota(id.begin(), id.end(), 0xa0);
  return id;
}

inline std::shared_ptr<const Keyring> VectorKeyring(
    const StoreId& store_id = VectorStoreId()) {
  std::vector<uint8_t> root(Secret::kSize);
  std::iota(root.begin(), root.end(), 0x20);
  return Keyring::Plain(Secret(root), store_id);
}

class CountingRandom final : public Random {
 public:
  explicit CountingRandom(uint8_t start) : next_(start) {}

  void Fill(absl::Span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = next_++;
  }

 private:
  uint8_t next_;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_WORKED_VECTOR_H_
