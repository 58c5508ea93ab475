// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_MASTER_KEY_H_
#define STATECPP_CRYPTO_MASTER_KEY_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/secret.h"
#include "crypto/secret_bytes.h"

namespace statecpp {

// A key that is kept outside the store and opens it: the store's root key is
// kept in the store's header, sealed under one or several of these. Either 32
// random bytes or a passphrase, which costs time and memory at every use.
//
//   MasterKey key = MasterKey::FromKey("prod-2026-09", Secret::Random());
//
// The name is for people: it is kept in clear in the header and printed in
// errors, and decides nothing. 1 to 64 characters of [A-Za-z0-9._-]
// (IsMasterKeyName).
//
// Thread-compatible.
class MasterKey {
 public:
  static MasterKey FromKey(std::string name, Secret key) {
    return MasterKey(std::move(name), std::move(key), std::nullopt);
  }
  static MasterKey FromPassphrase(std::string name, SecretBytes passphrase) {
    return MasterKey(std::move(name), std::nullopt, std::move(passphrase));
  }

  const std::string& name() const { return name_; }

  // Exactly one of the two is not null.
  const Secret* key() const { return key_.has_value() ? &*key_ : nullptr; }
  const SecretBytes* passphrase() const {
    return passphrase_.has_value() ? &*passphrase_ : nullptr;
  }

 private:
  MasterKey(std::string name, std::optional<Secret> key,
            std::optional<SecretBytes> passphrase)
      : name_(std::move(name)),
        key_(std::move(key)),
        passphrase_(std::move(passphrase)) {}

  std::string name_;
  std::optional<Secret> key_;
  std::optional<SecretBytes> passphrase_;
};

bool IsMasterKeyName(absl::string_view name);

// A copy of the key, by another name.
MasterKey Renamed(const MasterKey& key, std::string name);

// The keys that a source gave. The first is the primary one, which new stores
// are sealed under; all of them may open a store. Never empty.
using MasterKeys = std::vector<MasterKey>;

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_MASTER_KEY_H_
