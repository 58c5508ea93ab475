// SPDX-License-Identifier: Apache-2.0
//
// Takes the place of libsodium's allocator in a fuzzer. That one asks the
// kernel for guard pages around each secret, which takes many times as long as
// to parse one; ASan guards these.
#include <cstddef>
#include <cstdlib>
#include <cstring>

extern "C" {

void* sodium_malloc(size_t size) {
  void* const memory = std::malloc(size);
  // As libsodium's: nobody may count on zeros.
  if (memory != nullptr) std::memset(memory, 0xdb, size);
  return memory;
}

void sodium_free(void* memory) { std::free(memory); }

}  // extern "C"
