// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_KEYED_HASH_H_
#define STATECPP_CRYPTO_KEYED_HASH_H_

#include <sodium.h>

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "crypto/secret.h"

namespace statecpp {

// Keyed BLAKE2b (RFC 7693) over a message given in parts.
//
//   uint8_t tag[16];
//   KeyedHash hash(key, sizeof(tag));
//   hash.Update("domain");
//   hash.Update(message);
//   hash.Finish(tag);
//
// Parts are concatenated, so a caller with more than one part of variable
// length says in a comment why no two messages look alike. Plain keyed BLAKE2b,
// without salt or personalisation, because every library has it.
//
// A short message leaves the key as it is in the hash's state until the end, so
// the state is not on the stack, which a core file contains: it is in guarded
// memory, one for each thread. Hence one thread, and one hash at a time until
// it is finished.
class KeyedHash {
 public:
  // `size` bytes of output, 16 to 64.
  KeyedHash(const Secret& key, size_t size);
  ~KeyedHash() { Release(); }

  KeyedHash(const KeyedHash&) = delete;
  KeyedHash& operator=(const KeyedHash&) = delete;

  void Update(absl::string_view part) {
    crypto_generichash_update(
        state_, reinterpret_cast<const uint8_t*>(part.data()), part.size());
  }

  // Writes `size` bytes to `out`; nothing may be called afterwards.
  void Finish(uint8_t* out) {
    crypto_generichash_final(state_, out, size_);
    Release();
  }

 private:
  void Release();

  crypto_generichash_state* state_;  // null when finished
  size_t size_;
};

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_KEYED_HASH_H_
