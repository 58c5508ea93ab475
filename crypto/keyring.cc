// SPDX-License-Identifier: Apache-2.0
#include "crypto/keyring.h"

namespace statecpp {
namespace {

// Plain records have no data key of their own.
constexpr uint32_t kPlainKeyId = 0;

}  // namespace

std::shared_ptr<const Keyring> Keyring::Plain(const Secret& root,
                                              const StoreId& store_id) {
  return std::shared_ptr<const Keyring>(new Keyring(root, store_id));
}

Keyring::Keyring(const Secret& root, const StoreId& store_id)
    : store_id_(store_id),
      paths_(root.Derive("index")),
      accumulator_key_(root.Derive("acc")),
      header_tag_(root.Derive("header")),
      plain_tag_(root.Derive("plain")) {}

Keyring::Active Keyring::active() const {
  return {Algorithm::kPlain, kPlainKeyId, &plain_tag_};
}

const Aead* Keyring::Find(Algorithm algorithm, uint32_t key_id) const {
  if (algorithm == Algorithm::kPlain && key_id == kPlainKeyId) {
    return &plain_tag_;
  }
  return nullptr;
}

}  // namespace statecpp
