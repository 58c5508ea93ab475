// SPDX-License-Identifier: Apache-2.0
#include "engine/store_header.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/coding.h"
#include "engine/errors.h"

namespace statecpp {
namespace {

constexpr absl::string_view kMagic = "statecpp";
constexpr absl::string_view kDomain("lse/1/header\0", 13);
constexpr uint16_t kFormat = 1;
constexpr uint16_t kMinReader = 1;
constexpr uint8_t kPlainMode = 0;

constexpr size_t kMinReaderAt = 10;
constexpr size_t kModeAt = 12;
constexpr size_t kStoreIdAt = 16;
constexpr size_t kRootKeyAt = 32;
constexpr size_t kNonceAt = 64;
constexpr size_t kTagAt = kNonceAt + Aead::kNonceSize;
constexpr size_t kSize = kTagAt + Aead::kTagSize;

const uint8_t* Bytes(absl::string_view view) {
  return reinterpret_cast<const uint8_t*>(view.data());
}

// Takes the key out of a header that is long enough.
std::shared_ptr<const Keyring> PlainKeyring(absl::string_view header) {
  StoreId store_id;
  std::copy_n(Bytes(header) + kStoreIdAt, store_id.size(), store_id.begin());
  return Keyring::Plain(Secret({Bytes(header) + kRootKeyAt, Secret::kSize}),
                        store_id);
}

}  // namespace

std::string NewPlainHeader(Random& random) {
  std::string header(kMagic);
  AppendFixed(header, kFormat);
  AppendFixed(header, kMinReader);
  AppendFixed(header, kPlainMode);
  header.append(kStoreIdAt - header.size(), '\0');
  header.resize(kSize);
  uint8_t* const bytes = reinterpret_cast<uint8_t*>(header.data());
  // Store id, root key and nonce stand one after the other.
  random.Fill({bytes + kStoreIdAt, kTagAt - kStoreIdAt});

  // The tag leaves the text as it is.
  PlainKeyring(header)->header_tag().Seal(bytes + kNonceAt, kDomain,
                                          {header.data(), kNonceAt}, bytes,
                                          bytes + kTagAt);
  return header;
}

absl::StatusOr<std::shared_ptr<const Keyring>> OpenHeader(
    absl::string_view header, absl::string_view path) {
  if (header.size() < kMinReaderAt + 2 ||
      header.substr(0, kMagic.size()) != kMagic) {
    return error::HeaderDamaged(path, "it does not begin as one");
  }
  // Before all else: the rest of a newer header may look different.
  const int min_reader = LoadFixed<uint16_t>(header.data() + kMinReaderAt);
  if (min_reader > kFormat) {
    return error::FormatTooNew(path, min_reader, kFormat);
  }
  if (header.size() != kSize || header[kModeAt] != kPlainMode) {
    return error::HeaderDamaged(path, "its size or mode is unknown");
  }
  std::shared_ptr<const Keyring> keyring = PlainKeyring(header);
  uint8_t text[kNonceAt];
  if (!keyring->header_tag().Open(Bytes(header) + kNonceAt, kDomain,
                                  header.substr(0, kNonceAt),
                                  Bytes(header) + kTagAt, text)) {
    return error::HeaderDamaged(path, "its tag does not fit its bytes");
  }
  return keyring;
}

}  // namespace statecpp
