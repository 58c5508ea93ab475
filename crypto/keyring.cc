// SPDX-License-Identifier: Apache-2.0
#include "crypto/keyring.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace statecpp {
namespace {

std::string DataKeyPlace(const StoreId& store_id, uint32_t id) {
  static constexpr absl::string_view kDomain("lse/1/dek\0", 10);
  char id_bytes[4];
  for (int i = 0; i < 4; ++i) id_bytes[i] = static_cast<char>(id >> (8 * i));
  return absl::StrCat(kDomain, View(store_id), absl::string_view(id_bytes, 4));
}

}  // namespace

Keyring::Base::Base(const Secret& root, const StoreId& store_id)
    : root(root.RevealKeyBytes()),
      store_id(store_id),
      paths(root.Derive("index")),
      accumulator_key(root.Derive("acc")),
      header_tag(root.Derive("header")),
      plain_tag(root.Derive("plain")),
      meta_cipher(root.Derive("meta")),
      token_cipher(root.Derive("token")),
      wrap(root.Derive("wrap")) {}

std::shared_ptr<const Keyring> Keyring::Plain(const Secret& root,
                                              const StoreId& store_id) {
  return std::shared_ptr<const Keyring>(new Keyring(
      std::make_shared<const Base>(root, store_id), {}, kPlainKeyId));
}

std::shared_ptr<const Keyring> Keyring::Sealed(
    const Secret& root, const StoreId& store_id,
    const std::vector<WrappedDataKey>& data_keys, uint32_t active_id) {
  return Unwrap(std::make_shared<const Base>(root, store_id), data_keys,
                active_id);
}

std::shared_ptr<const Keyring> Keyring::WithDataKeys(
    const std::vector<WrappedDataKey>& data_keys, uint32_t active_id) const {
  return Unwrap(base_, data_keys, active_id);
}

std::shared_ptr<const Keyring> Keyring::Unwrap(
    std::shared_ptr<const Base> base,
    const std::vector<WrappedDataKey>& data_keys, uint32_t active_id) {
  DataKeys unwrapped;
  for (const WrappedDataKey& data_key : data_keys) {
    std::optional<Secret> key = UnwrapKey(
        base->wrap, DataKeyPlace(base->store_id, data_key.id), data_key.key);
    if (!key.has_value()) return nullptr;
    unwrapped.try_emplace(data_key.id, *std::move(key));
  }
  if (active_id == kPlainKeyId || !unwrapped.contains(active_id)) {
    return nullptr;
  }
  return std::shared_ptr<const Keyring>(
      new Keyring(std::move(base), std::move(unwrapped), active_id));
}

WrappedDataKey Keyring::NewDataKey(const Secret& root, const StoreId& store_id,
                                   uint32_t id, Random& random) {
  return {.id = id,
          .key = WrapKey(root.Derive("wrap"), DataKeyPlace(store_id, id),
                         Secret::Random(), random)};
}

Keyring::Active Keyring::active() const {
  if (!sealed()) return {Algorithm::kPlain, kPlainKeyId, &base_->plain_tag};
  return {Algorithm::kXChaCha20Poly1305, active_id_,
          &data_keys_.at(active_id_)};
}

const Aead* Keyring::Find(Algorithm algorithm, uint32_t key_id) const {
  switch (algorithm) {
    case Algorithm::kPlain:
      return !sealed() && key_id == kPlainKeyId ? &base_->plain_tag : nullptr;
    case Algorithm::kXChaCha20Poly1305: {
      const auto found = data_keys_.find(key_id);
      return found == data_keys_.end() ? nullptr : &found->second;
    }
  }
  return nullptr;
}

}  // namespace statecpp
