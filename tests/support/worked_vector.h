// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_WORKED_VECTOR_H_
#define STATECPP_TESTS_SUPPORT_WORKED_VECTOR_H_

#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "crypto/keyring.h"
#include "crypto/master_key.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/wrapped_key.h"

// The store that the published bytes of every format belong to: root key
// 20..3f, store id a0..af, and for random bytes the numbers from some start on.
// Sealed, its master key is 00..1f and its data key, number 3, is 40..5f. The
// bytes in tests were computed from the grammars by a program that shares
// nothing with this one (docs/format.md has them all, step by step).
namespace statecpp {

constexpr char kVectorKey[] = "orders||OrderActor||42||state";
constexpr char kVectorMasterKeyName[] = "prod-2026-09";
constexpr uint32_t kVectorDataKeyId = 3;

class CountingRandom final : public Random {
 public:
  explicit CountingRandom(uint8_t start) : next_(start) {}

  void Fill(absl::Span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = next_++;
  }

 private:
  uint8_t next_;
};

inline StoreId VectorStoreId() {
  StoreId id;
  std::iota(id.begin(), id.end(), 0xa0);
  return id;
}

// The 32 numbers from `start` on.
inline Secret VectorSecret(uint8_t start) {
  std::vector<uint8_t> bytes(Secret::kSize);
  std::iota(bytes.begin(), bytes.end(), start);
  return Secret(bytes);
}

inline Secret VectorRoot() { return VectorSecret(0x20); }

inline MasterKey VectorMasterKey() {
  return MasterKey::FromKey(kVectorMasterKeyName, VectorSecret(0x00));
}

// Of a plain store.
inline std::shared_ptr<const Keyring> VectorKeyring(
    const StoreId& store_id = VectorStoreId()) {
  return Keyring::Plain(VectorRoot(), store_id);
}

// A data key of the sealed store, whose bytes begin with `start`.
inline WrappedDataKey VectorDataKey(uint32_t id = kVectorDataKeyId,
                                    uint8_t start = 0x40,
                                    const StoreId& store_id = VectorStoreId()) {
  std::string place("lse/1/dek\0", 10);
  absl::StrAppend(&place, View(store_id));
  for (int i = 0; i < 4; ++i) place.push_back(static_cast<char>(id >> 8 * i));
  CountingRandom random(0x30);
  return {.id = id,
          .key = WrapKey(VectorRoot().Derive("wrap"), place,
                         VectorSecret(start), random)};
}

inline std::shared_ptr<const Keyring> SealedVectorKeyring(
    const StoreId& store_id = VectorStoreId()) {
  return Keyring::Sealed(VectorRoot(), store_id,
                         {VectorDataKey(kVectorDataKeyId, 0x40, store_id)},
                         kVectorDataKeyId);
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_WORKED_VECTOR_H_
