// SPDX-License-Identifier: Apache-2.0
#include "crypto/checksum.h"

#include <sodium.h>

namespace statecpp {

Checksum ChecksumOf(absl::string_view bytes) {
  Checksum checksum;
  crypto_generichash(checksum.data(), checksum.size(),
                     reinterpret_cast<const uint8_t*>(bytes.data()),
                     bytes.size(), nullptr, 0);
  return checksum;
}

}  // namespace statecpp
