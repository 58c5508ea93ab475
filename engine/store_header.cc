// SPDX-License-Identifier: Apache-2.0
#include "engine/store_header.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/checksum.h"
#include "engine/coding.h"
#include "engine/errors.h"

namespace statecpp {
namespace {

constexpr absl::string_view kMagic = "statecpp";
constexpr absl::string_view kDomain("lse/1/header\0", 13);
constexpr uint16_t kFormat = 1;
constexpr uint16_t kMinReader = 1;
constexpr uint8_t kPlainMode = 0;
constexpr uint8_t kSealedMode = 1;

constexpr size_t kMinReaderAt = 10;
constexpr size_t kModeAt = 12;
constexpr size_t kStoreIdAt = 16;
constexpr size_t kBodyAt = 32;
constexpr size_t kChecksumSize = sizeof(Checksum);
constexpr size_t kTrailerSize =
    Aead::kNonceSize + Aead::kTagSize + kChecksumSize;

const uint8_t* Bytes(absl::string_view view) {
  return reinterpret_cast<const uint8_t*>(view.data());
}

template <size_t kSize>
void Append(std::string& out, const std::array<uint8_t, kSize>& bytes) {
  out.append(reinterpret_cast<const char*>(bytes.data()), kSize);
}

void Append(std::string& out, const WrappedKey& wrapped) {
  Append(out, wrapped.nonce);
  Append(out, wrapped.text);
  Append(out, wrapped.tag);
}

// Takes values off the front of a text. Past its end it goes on with zeros, and
// `good` turns false.
class Cursor {
 public:
  explicit Cursor(absl::string_view text) : text_(text) {}

  bool good() const { return good_; }
  bool AtEnd() const { return good_ && text_.empty(); }

  absl::string_view Take(size_t size) {
    if (size > text_.size()) {
      good_ = false;
      return "";
    }
    const absl::string_view taken = text_.substr(0, size);
    text_.remove_prefix(size);
    return taken;
  }

  template <typename Int>
  Int TakeFixed() {
    const absl::string_view taken = Take(sizeof(Int));
    return taken.empty() ? 0 : LoadFixed<Int>(taken.data());
  }

  template <size_t kSize>
  void TakeInto(std::array<uint8_t, kSize>& out) {
    const absl::string_view taken = Take(kSize);
    std::copy(taken.begin(), taken.end(), out.begin());
  }

  void TakeInto(WrappedKey& out) {
    TakeInto(out.nonce);
    TakeInto(out.text);
    TakeInto(out.tag);
  }

 private:
  absl::string_view text_;
  bool good_ = true;
};

std::string Begin(uint8_t mode, const StoreId& store_id) {
  std::string bytes(kMagic);
  AppendFixed(bytes, kFormat);
  AppendFixed(bytes, kMinReader);
  AppendFixed(bytes, mode);
  bytes.append(kStoreIdAt - bytes.size(), '\0');
  Append(bytes, store_id);
  return bytes;
}

void Finish(std::string& bytes, const Keyring& keyring, Random& random) {
  uint8_t nonce[Aead::kNonceSize];
  random.Fill(absl::MakeSpan(nonce));
  uint8_t tag[Aead::kTagSize];
  // The tag leaves the text as it is.
  keyring.header_tag().Seal(nonce, kDomain, bytes,
                            reinterpret_cast<uint8_t*>(bytes.data()), tag);
  bytes.append(reinterpret_cast<const char*>(nonce), sizeof(nonce));
  bytes.append(reinterpret_cast<const char*>(tag), sizeof(tag));
  Append(bytes, ChecksumOf(bytes));
}

void AppendSlot(std::string& bytes, const KeySlot& slot) {
  AppendFixed(bytes, slot.index);
  AppendFixed(bytes, static_cast<uint8_t>(slot.name.size()));
  bytes.append(slot.name);
  AppendFixed(bytes, static_cast<uint8_t>(slot.derivation));
  if (slot.derivation == KeySlot::Derivation::kArgon2id) {
    Append(bytes, slot.argon2id.salt);
    AppendFixed(bytes, slot.argon2id.passes);
    AppendFixed(bytes, slot.argon2id.memory_kib);
  }
  Append(bytes, slot.check_value);
  Append(bytes, slot.root);
}

KeySlot TakeSlot(Cursor& cursor) {
  KeySlot slot;
  slot.index = cursor.TakeFixed<uint8_t>();
  const size_t name_size = cursor.TakeFixed<uint8_t>();
  slot.name = std::string(cursor.Take(name_size));
  slot.derivation =
      static_cast<KeySlot::Derivation>(cursor.TakeFixed<uint8_t>());
  if (slot.derivation == KeySlot::Derivation::kArgon2id) {
    cursor.TakeInto(slot.argon2id.salt);
    slot.argon2id.passes = cursor.TakeFixed<uint32_t>();
    slot.argon2id.memory_kib = cursor.TakeFixed<uint32_t>();
  }
  cursor.TakeInto(slot.check_value);
  cursor.TakeInto(slot.root);
  return slot;
}

// False where the body is not one that SealHeader wrote.
bool TakeSealedBody(absl::string_view body, StoreHeader& header) {
  Cursor cursor(body);
  header.next_key_id = cursor.TakeFixed<uint32_t>();
  header.active_key_id = cursor.TakeFixed<uint32_t>();
  const size_t slots = cursor.TakeFixed<uint8_t>();
  if (slots == 0 || slots > kMaxKeySlots) return false;
  for (size_t i = 0; i < slots; ++i) {
    header.slots.push_back(TakeSlot(cursor));
    if (header.slots.back().derivation > KeySlot::Derivation::kArgon2id) {
      return false;
    }
  }
  const size_t keys = cursor.TakeFixed<uint16_t>();
  for (size_t i = 0; i < keys && cursor.good(); ++i) {
    WrappedDataKey& key = header.data_keys.emplace_back();
    key.id = cursor.TakeFixed<uint32_t>();
    cursor.TakeInto(key.key);
  }
  return cursor.AtEnd();
}

// The text that nonce and tag close.
absl::string_view TextOf(absl::string_view bytes) {
  return bytes.substr(0, bytes.size() - kTrailerSize);
}

bool TagFits(absl::string_view bytes, const Keyring& keyring) {
  const absl::string_view text = TextOf(bytes);
  const absl::string_view trailer = bytes.substr(text.size());
  std::string same(text.size(), '\0');
  return keyring.header_tag().Open(Bytes(trailer), kDomain, text,
                                   Bytes(trailer.substr(Aead::kNonceSize)),
                                   reinterpret_cast<uint8_t*>(same.data()));
}

std::shared_ptr<const Keyring> PlainKeyring(absl::string_view bytes,
                                            const StoreId& store_id) {
  return Keyring::Plain(Secret({Bytes(bytes) + kBodyAt, Secret::kSize}),
                        store_id);
}

// The opened header of which all but the tag is known to fit.
absl::StatusOr<OpenedHeader> Check(absl::string_view bytes, StoreHeader header,
                                   std::shared_ptr<const Keyring> keyring,
                                   absl::string_view path) {
  if (keyring == nullptr) {
    return error::HeaderDamaged(path, "a data key in it does not open");
  }
  if (!TagFits(bytes, *keyring)) {
    return error::HeaderDamaged(path, "its tag does not fit its bytes");
  }
  return OpenedHeader{std::move(header), std::move(keyring)};
}

// The root key out of the first slot that one of the keys opens.
absl::StatusOr<Secret> OpenRoot(const StoreHeader& header,
                                const MasterKeys& keys,
                                absl::string_view path) {
  for (const KeySlot& slot : header.slots) {
    for (const MasterKey& key : keys) {
      SlotOpening opening = OpenSlot(slot, key, header.store_id);
      switch (opening.outcome) {
        case SlotOpening::Outcome::kOpened:
          return *std::move(opening.root);
        case SlotOpening::Outcome::kOtherKey:
          break;
        case SlotOpening::Outcome::kDamaged:
          return error::HeaderDamaged(
              path, absl::StrCat("key slot ", slot.index, ", \"", slot.name,
                                 "\", does not open with its own key"));
        case SlotOpening::Outcome::kTooCostly:
          return error::SlotTooCostly(path, slot.name, slot.argon2id.passes,
                                      slot.argon2id.memory_kib);
      }
    }
  }
  return error::NoKeyOpens(path, header.store_id, header.slots, keys);
}

}  // namespace

std::string NewPlainHeader(Random& random) {
  StoreId store_id;
  random.Fill(absl::MakeSpan(store_id));
  std::string bytes = Begin(kPlainMode, store_id);
  bytes.resize(kBodyAt + Secret::kSize);
  random.Fill(
      {reinterpret_cast<uint8_t*>(bytes.data()) + kBodyAt, Secret::kSize});
  Finish(bytes, *PlainKeyring(bytes, store_id), random);
  return bytes;
}

std::string NewSealedHeader(const MasterKey& key, Random& random) {
  constexpr uint32_t kFirstKeyId = 1;
  StoreHeader header = {.store_id = {},
                        .sealed = true,
                        .slots = {},
                        .data_keys = {},
                        .active_key_id = kFirstKeyId,
                        .next_key_id = kFirstKeyId + 1};
  random.Fill(absl::MakeSpan(header.store_id));
  const Secret root = Secret::Random();
  header.slots.push_back(SealSlot(key, root, header.store_id, 0, random));
  header.data_keys.push_back(
      Keyring::NewDataKey(root, header.store_id, kFirstKeyId, random));
  const std::shared_ptr<const Keyring> keyring = Keyring::Sealed(
      root, header.store_id, header.data_keys, header.active_key_id);
  return SealHeader(header, *keyring, random);
}

std::string SealHeader(const StoreHeader& header, const Keyring& keyring,
                       Random& random) {
  std::string bytes = Begin(kSealedMode, header.store_id);
  AppendFixed(bytes, header.next_key_id);
  AppendFixed(bytes, header.active_key_id);
  AppendFixed(bytes, static_cast<uint8_t>(header.slots.size()));
  for (const KeySlot& slot : header.slots) AppendSlot(bytes, slot);
  AppendFixed(bytes, static_cast<uint16_t>(header.data_keys.size()));
  for (const WrappedDataKey& key : header.data_keys) {
    AppendFixed(bytes, key.id);
    Append(bytes, key.key);
  }
  Finish(bytes, keyring, random);
  return bytes;
}

int FormatOfHeader(absl::string_view bytes) {
  if (bytes.size() < kMinReaderAt) return 0;
  return LoadFixed<uint16_t>(bytes.data() + kMagic.size());
}

absl::StatusOr<StoreHeader> ReadHeader(absl::string_view bytes,
                                       absl::string_view path) {
  if (bytes.size() < kMinReaderAt + 2 ||
      bytes.substr(0, kMagic.size()) != kMagic) {
    return error::HeaderDamaged(path, "it does not begin as one");
  }
  // Before all else: the rest of a newer header may look different.
  const int min_reader = LoadFixed<uint16_t>(bytes.data() + kMinReaderAt);
  if (min_reader > kFormat) {
    return error::FormatTooNew(path, min_reader, kFormat);
  }
  if (bytes.size() < kBodyAt + kTrailerSize) {
    return error::HeaderDamaged(path, "it is truncated");
  }
  const Checksum checksum =
      ChecksumOf(bytes.substr(0, bytes.size() - kChecksumSize));
  if (!std::equal(checksum.begin(), checksum.end(),
                  Bytes(bytes) + bytes.size() - kChecksumSize)) {
    return error::HeaderDamaged(path, "its checksum does not fit its bytes");
  }
  StoreHeader header = {};
  header.sealed = bytes[kModeAt] == kSealedMode;
  std::copy_n(Bytes(bytes) + kStoreIdAt, header.store_id.size(),
              header.store_id.begin());
  const absl::string_view body = TextOf(bytes).substr(kBodyAt);
  const bool known = header.sealed ? TakeSealedBody(body, header)
                                   : bytes[kModeAt] == kPlainMode &&
                                         body.size() == Secret::kSize;
  if (!known) return error::HeaderDamaged(path, "its size or mode is unknown");
  return header;
}

absl::StatusOr<OpenedHeader> OpenHeader(absl::string_view bytes,
                                        const MasterKeys* keys,
                                        absl::string_view path) {
  absl::StatusOr<StoreHeader> header = ReadHeader(bytes, path);
  if (!header.ok()) return header.status();
  if (!header->sealed) {
    if (keys != nullptr) return error::StoreIsPlain(path);
    std::shared_ptr<const Keyring> keyring =
        PlainKeyring(bytes, header->store_id);
    return Check(bytes, *std::move(header), std::move(keyring), path);
  }
  if (keys == nullptr) return error::NoKeyGiven(path, header->slots);
  const absl::StatusOr<Secret> root = OpenRoot(*header, *keys, path);
  if (!root.ok()) return root.status();
  return OpenHeaderByRoot(bytes, *root, path);
}

absl::StatusOr<OpenedHeader> OpenHeaderByRoot(absl::string_view bytes,
                                              const Secret& root,
                                              absl::string_view path) {
  absl::StatusOr<StoreHeader> header = ReadHeader(bytes, path);
  if (!header.ok()) return header.status();
  std::shared_ptr<const Keyring> keyring =
      header->sealed ? Keyring::Sealed(root, header->store_id,
                                       header->data_keys, header->active_key_id)
                     : Keyring::Plain(root, header->store_id);
  return Check(bytes, *std::move(header), std::move(keyring), path);
}

}  // namespace statecpp
