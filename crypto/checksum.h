// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_CHECKSUM_H_
#define STATECPP_CRYPTO_CHECKSUM_H_

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace statecpp {

using Checksum = std::array<uint8_t, 16>;

// BLAKE2b-128 without a key. Finds damage; whoever changes bytes on purpose
// computes it anew, so it proves nothing.
Checksum ChecksumOf(absl::string_view bytes);

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_CHECKSUM_H_
