// SPDX-License-Identifier: Apache-2.0
//
// A header that can be read says what it was written from, and one that opens
// was sealed under its own root key.
#include <memory>
#include <string>

#include "crypto/checksum.h"
#include "engine/store_header.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/given_random.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

constexpr char kPath[] = "/srv/orders";
constexpr size_t kFormatAt = 8;
constexpr size_t kModeAt = 12;
constexpr size_t kBodyAt = 32;
constexpr size_t kTrailerSize =
    Aead::kNonceSize + Aead::kTagSize + sizeof(Checksum);

template <typename Bytes>
absl::string_view ViewOf(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The text closed as by somebody who has the root key, which in a plain store
// everybody has.
void CloseWithTag(std::string& bytes) {
  std::shared_ptr<const Keyring> keyring = SealedVectorKeyring();
  if (bytes.size() >= kBodyAt + Secret::kSize && bytes[kModeAt] == 0) {
    keyring = Keyring::Plain(
        Secret(
            {reinterpret_cast<const uint8_t*>(&bytes[kBodyAt]), Secret::kSize}),
        VectorStoreId());
  }
  const std::string nonce(Aead::kNonceSize, '\x07');
  std::string tag(Aead::kTagSize, '\0');
  keyring->header_tag().Seal(reinterpret_cast<const uint8_t*>(nonce.data()),
                             absl::string_view("lse/1/header\0", 13), bytes,
                             reinterpret_cast<uint8_t*>(bytes.data()),
                             reinterpret_cast<uint8_t*>(tag.data()));
  bytes += nonce + tag;
}

std::string Close(absl::string_view text, bool with_tag) {
  std::string bytes(text);
  if (with_tag) CloseWithTag(bytes);
  const Checksum checksum = ChecksumOf(bytes);
  bytes.append(ViewOf(checksum).data(), checksum.size());
  return bytes;
}

// As this program writes the fields that it reads past.
bool IsCanonical(absl::string_view bytes) {
  return bytes.substr(kFormatAt, kBodyAt / 2 - kFormatAt) ==
         absl::string_view("\1\0\1\0\1\0\0\0", 8);
}

void CheckRead(absl::string_view bytes, const StoreHeader& header) {
  Expect(ViewOf(header.store_id) == bytes.substr(16, 16),
         "the store's id is that of the header");
  if (!header.sealed) {
    Expect(header.slots.empty() && header.data_keys.empty(),
           "a plain store has no keys");
    return;
  }
  Expect(!header.slots.empty() && header.slots.size() <= kMaxKeySlots,
         "a sealed store has slots, and not too many");
  if (!IsCanonical(bytes)) return;
  const absl::string_view text = bytes.substr(0, bytes.size() - kTrailerSize);
  GivenRandom nonce(bytes.substr(text.size(), Aead::kNonceSize));
  const std::string again = SealHeader(header, *SealedVectorKeyring(), nonce);
  Expect(absl::string_view(again).substr(0, text.size()) == text &&
             again.size() == bytes.size(),
         "a header is written as it was read");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  static const auto* const keys = [] {
    auto* const made = new MasterKeys;
    made->push_back(VectorMasterKey());
    return made;
  }();
  const int how = input.Below(3);
  const absl::string_view text = input.Rest();
  const std::string bytes =
      how == 0 ? std::string(text) : Close(text, /*with_tag=*/how == 2);
  const absl::StatusOr<StoreHeader> header = ReadHeader(bytes, kPath);
  const absl::StatusOr<OpenedHeader> opened = OpenHeader(bytes, keys, kPath);
  const absl::StatusOr<OpenedHeader> plain = OpenHeader(bytes, nullptr, kPath);
  const absl::StatusOr<OpenedHeader> by_root =
      OpenHeaderByRoot(bytes, VectorRoot(), kPath);
  if (!header.ok()) {
    Expect(!opened.ok() && !plain.ok() && !by_root.ok(),
           "what cannot be read does not open");
    return;
  }
  CheckRead(bytes, *header);
  Expect(!opened.ok() || header->sealed, "a master key opens no plain store");
  Expect(!plain.ok() || !header->sealed, "no sealed store opens without a key");
  Expect(!opened.ok() || by_root.ok(), "the root key opens what a slot opens");
  if (opened.ok() && IsCanonical(bytes)) {
    GivenRandom nonce(absl::string_view(bytes).substr(
        bytes.size() - kTrailerSize, Aead::kNonceSize));
    Expect(SealHeader(opened->header, *opened->keyring, nonce) == bytes,
           "a header that opens was sealed");
  }
}

}  // namespace statecpp
