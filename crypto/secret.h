// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_SECRET_H_
#define STATECPP_CRYPTO_SECRET_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace statecpp {

// A 32-byte key, kept in memory that libsodium guards: between two pages that
// fault, left out of core dumps, wiped when released. It has no way to be
// printed, logged or compared by accident.
//
//   Secret root = Secret::Random();
//   Secret index = root.Derive("index");
//   crypto_x(out, index.RevealKeyBytes().data());
//
// Thread-compatible: any number of threads may read one Secret.
class Secret {
 public:
  static constexpr size_t kSize = 32;

  // Copies `bytes`, which must hold exactly kSize; the caller wipes its own.
  explicit Secret(absl::Span<const uint8_t> bytes);

  // A new key from the system's generator.
  static Secret Random();

  Secret(Secret&&) = default;
  Secret& operator=(Secret&&) = default;

  // The subkey for one purpose: BLAKE2b-256 under this key over
  // "lse/1/kdf\0" and `label`. Labels are on disk for good: renaming one makes
  // every store unreadable.
  Secret Derive(absl::string_view label) const;

  // The bytes themselves, for the call that needs them and no longer. The name
  // is there to be searched for.
  absl::Span<const uint8_t> RevealKeyBytes() const {
    return {bytes_.get(), kSize};
  }

 private:
  struct Release {
    void operator()(uint8_t* bytes) const;
  };

  Secret();

  std::unique_ptr<uint8_t, Release> bytes_;
};

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_SECRET_H_
