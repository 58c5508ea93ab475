// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_STORE_ID_H_
#define STATECPP_CRYPTO_STORE_ID_H_

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace statecpp {

// Tells stores apart: drawn at random when a store is made, and part of what
// every seal covers, so that nothing sealed for one store opens in another.
using StoreId = std::array<uint8_t, 16>;

inline absl::string_view View(const StoreId& store_id) {
  return {reinterpret_cast<const char*>(store_id.data()), store_id.size()};
}

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_STORE_ID_H_
