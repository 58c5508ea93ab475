// SPDX-License-Identifier: Apache-2.0
#include "tests/leaks/store_secrets.h"

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "crypto/keyring.h"
#include "crypto/secret.h"
#include "crypto/wrapped_key.h"
#include "engine/lmdb_environment.h"
#include "engine/store_header.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

std::string ReadHeaderBytes(const std::string& folder) {
  const auto environment =
      LmdbEnvironment::Open(folder, uint64_t{10} << 30, nullptr);
  if (!environment.ok()) {
    ADD_FAILURE() << environment.status();
    return "";
  }
  auto txn = (*environment)->BeginRead();
  const auto header = txn->Get(LmdbEnvironment::Table::kMeta, "header");
  return std::string((*header).value_or(""));
}

// As keyring.cc unwraps it.
std::optional<Secret> Unwrap(const Secret& root, const StoreId& store_id,
                             const WrappedDataKey& data_key) {
  std::string associated_data("lse/1/dek\0", 10);
  associated_data.append(store_id.begin(), store_id.end());
  for (int shift = 0; shift < 32; shift += 8) {
    associated_data.push_back(static_cast<char>(data_key.id >> shift));
  }
  return UnwrapKey(root.Derive("wrap"), associated_data, data_key.key);
}

}  // namespace

void AddKeysOfStore(const std::string& folder, const MasterKeys& keys,
                    LeakScanner& scanner) {
  const absl::StatusOr<OpenedHeader> opened =
      OpenHeader(ReadHeaderBytes(folder), &keys, folder);
  ASSERT_TRUE(opened.ok()) << opened.status();
  ASSERT_TRUE(opened->header.sealed);
  const Secret& root = opened->keyring->root();
  scanner.AddSecret("the root key", root.RevealKeyBytes());
  for (const char* label :
       {"index", "acc", "header", "plain", "meta", "token", "wrap"}) {
    scanner.AddSecret(absl::StrCat("the subkey ", label),
                      root.Derive(label).RevealKeyBytes());
  }
  ASSERT_FALSE(opened->header.data_keys.empty());
  for (const WrappedDataKey& data_key : opened->header.data_keys) {
    const std::optional<Secret> key =
        Unwrap(root, opened->header.store_id, data_key);
    ASSERT_TRUE(key.has_value());
    scanner.AddSecret(absl::StrCat("data key ", data_key.id),
                      key->RevealKeyBytes());
  }
}

}  // namespace statecpp
