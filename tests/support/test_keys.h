// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_TEST_KEYS_H_
#define STATECPP_TESTS_SUPPORT_TEST_KEYS_H_

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "crypto/master_key.h"

namespace statecpp {

// Whether this run of a test is the one on sealed stores. Every test of a store
// runs twice; the rule store_test (store_test.bzl) sees to it.
inline bool TestsAreSealed() {
  return std::getenv("STATECPP_TEST_SEALED") != nullptr;
}

// The bytes of the key that a sealed run uses; not secret at all.
inline std::vector<uint8_t> TestKeyBytes() {
  std::vector<uint8_t> bytes(Secret::kSize);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(0xc0 ^ (7 * i));
  }
  return bytes;
}

inline std::shared_ptr<const MasterKeys> NewTestKeys() {
  auto keys = std::make_shared<MasterKeys>();
  keys->push_back(MasterKey::FromKey("test", Secret(TestKeyBytes())));
  return keys;
}

// What goes into Options::keys: null in the run on plain stores.
inline std::shared_ptr<const MasterKeys> TestKeys() {
  return TestsAreSealed() ? NewTestKeys() : nullptr;
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_TEST_KEYS_H_
