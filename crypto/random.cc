// SPDX-License-Identifier: Apache-2.0
#include "crypto/random.h"

#include <pthread.h>
#include <sodium.h>

#include <cstdlib>
#include <cstring>

namespace statecpp {
namespace {

constexpr size_t kPoolSize = 240;

struct Pool {
  uint8_t bytes[kPoolSize];
  size_t left = 0;  // the last `left` bytes have not been handed out
};

thread_local Pool pool;

// fork() copies the thread that calls it, its pool included. Emptying that pool
// in the child is enough: no other thread exists there.
void DropPoolInChild() {
  sodium_memzero(pool.bytes, kPoolSize);
  pool.left = 0;
}

class PooledSystemRandom final : public Random {
 public:
  PooledSystemRandom() {
    if (sodium_init() < 0) std::abort();
    if (pthread_atfork(nullptr, nullptr, &DropPoolInChild) != 0) std::abort();
  }

  void Fill(absl::Span<uint8_t> out) override {
    if (out.size() > kPoolSize) {
      randombytes_buf(out.data(), out.size());
      return;
    }
    if (pool.left < out.size()) {
      randombytes_buf(pool.bytes, kPoolSize);
      pool.left = kPoolSize;
    }
    uint8_t* next = pool.bytes + (kPoolSize - pool.left);
    std::memcpy(out.data(), next, out.size());
    sodium_memzero(next, out.size());
    pool.left -= out.size();
  }
};

}  // namespace

Random& SystemRandom() {
  static PooledSystemRandom* const random = new PooledSystemRandom();
  return *random;
}

}  // namespace statecpp
