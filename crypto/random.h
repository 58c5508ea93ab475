// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_RANDOM_H_
#define STATECPP_CRYPTO_RANDOM_H_

#include <cstdint>

#include "absl/types/span.h"

namespace statecpp {

// Where nonces, versions and store ids come from. An interface only so that a
// test can repeat a published vector; nothing else replaces it.
//
// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;

  // Fills `out` with bytes nobody can predict and no other call gets.
  virtual void Fill(absl::Span<uint8_t> out) = 0;
};

// The system's generator. A small request costs a system call each, which is
// as much as sealing 128 bytes, so each thread draws a pool of 240 bytes at a
// time (getrandom serves up to 256 in one piece), hands it out once and wipes
// what it handed out. A forked child starts with an empty pool.
Random& SystemRandom();

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_RANDOM_H_
