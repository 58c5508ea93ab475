// SPDX-License-Identifier: Apache-2.0
#include "crypto/keyed_hash.h"

#include <cstdlib>

#include "absl/types/span.h"
#include "crypto/secret_bytes.h"

namespace statecpp {
namespace {

// Of a size that ends where its page does, so it is aligned as the type wants.
static_assert(sizeof(crypto_generichash_state) %
                  alignof(crypto_generichash_state) ==
              0);

// Of this thread.
struct HashMemory {
  SecretBytes bytes = SecretBytes(sizeof(crypto_generichash_state));
  bool taken = false;
};

HashMemory& MemoryOfThread() {
  thread_local HashMemory memory;
  return memory;
}

// For a hash; there is no second one meanwhile.
crypto_generichash_state* TakeState() {
  HashMemory& memory = MemoryOfThread();
  if (memory.taken) std::abort();
  memory.taken = true;
  return reinterpret_cast<crypto_generichash_state*>(memory.bytes.data());
}

}  // namespace

KeyedHash::KeyedHash(const Secret& key, size_t size)
    : state_(TakeState()), size_(size) {
  const absl::Span<const uint8_t> bytes = key.RevealKeyBytes();
  crypto_generichash_init(state_, bytes.data(), bytes.size(), size);
}

void KeyedHash::Release() {
  if (state_ == nullptr) return;
  MemoryOfThread().taken = false;
  state_ = nullptr;
}

}  // namespace statecpp
