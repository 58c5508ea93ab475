// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret.h"

#include <sodium.h>

#include <cstdlib>
#include <cstring>

#include "crypto/keyed_hash.h"

namespace statecpp {
namespace {

uint8_t* AllocateGuarded() {
  // Aborts rather than reports: without libsodium's initialisation neither the
  // generator nor the guards can be trusted, and no caller can go on.
  if (sodium_init() < 0) std::abort();
  void* bytes = sodium_malloc(Secret::kSize);
  if (bytes == nullptr) std::abort();
  return static_cast<uint8_t*>(bytes);
}

}  // namespace

void Secret::Release::operator()(uint8_t* bytes) const { sodium_free(bytes); }

Secret::Secret() : bytes_(AllocateGuarded()) {}

Secret::Secret(absl::Span<const uint8_t> bytes) : Secret() {
  if (bytes.size() != kSize) std::abort();
  std::memcpy(bytes_.get(), bytes.data(), kSize);
}

Secret Secret::Random() {
  Secret secret;
  randombytes_buf(secret.bytes_.get(), kSize);
  return secret;
}

Secret Secret::Derive(absl::string_view label) const {
  static constexpr absl::string_view kDomain("lse/1/kdf\0", 10);
  Secret subkey;
  KeyedHash hash(*this, kSize);
  hash.Update(kDomain);
  hash.Update(label);
  hash.Finish(subkey.bytes_.get());
  return subkey;
}

}  // namespace statecpp
