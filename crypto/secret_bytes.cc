// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret_bytes.h"

#include <sodium.h>

#include <cstdlib>
#include <cstring>

namespace statecpp {

SecretBytes::SecretBytes(size_t size) : size_(size) {
  if (sodium_init() < 0) std::abort();
  // libsodium guards no empty allocation.
  bytes_.reset(static_cast<uint8_t*>(sodium_malloc(size == 0 ? 1 : size)));
  if (bytes_ == nullptr) std::abort();
  sodium_memzero(bytes_.get(), size);
}

SecretBytes SecretBytes::Copy(absl::string_view text) {
  SecretBytes copy(text.size());
  if (!text.empty()) std::memcpy(copy.data(), text.data(), text.size());
  return copy;
}

void SecretBytes::Truncate(size_t size) {
  if (size > size_) std::abort();
  sodium_memzero(bytes_.get() + size, size_ - size);
  size_ = size;
}

void SecretBytes::Release::operator()(uint8_t* bytes) const {
  sodium_free(bytes);
}

}  // namespace statecpp
