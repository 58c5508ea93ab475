// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_SECRET_BYTES_H_
#define STATECPP_CRYPTO_SECRET_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace statecpp {

// Bytes that are secret and not of a key's size: a passphrase, a key as text, a
// file of keys. Guarded as Secret is, and wiped when released; nor can it be
// printed. Read straight into it, since what passes through a std::string
// leaves copies behind.
//
//   SecretBytes text(kMaxKeyFile);
//   ssize_t size = read(fd, text.data(), text.size());
//   text.Truncate(size);
//
// Thread-compatible.
class SecretBytes {
 public:
  // `size` bytes, all zero.
  explicit SecretBytes(size_t size);

  // A copy of `text`; the caller wipes its own.
  static SecretBytes Copy(absl::string_view text);

  SecretBytes(SecretBytes&&) = default;
  SecretBytes& operator=(SecretBytes&&) = default;

  uint8_t* data() { return bytes_.get(); }
  size_t size() const { return size_; }

  // Keeps the first `size` bytes, which must not be more than there are.
  void Truncate(size_t size);

  // The bytes themselves, for the call that needs them and no longer.
  absl::string_view RevealText() const {
    return {reinterpret_cast<const char*>(bytes_.get()), size_};
  }

 private:
  struct Release {
    void operator()(uint8_t* bytes) const;
  };

  std::unique_ptr<uint8_t, Release> bytes_;
  size_t size_;
};

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_SECRET_BYTES_H_
