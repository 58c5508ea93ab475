// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_text.h"

#include <sodium.h>

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "crypto/errors.h"

namespace statecpp {
namespace {

constexpr size_t kHexSize = 2 * Secret::kSize;
constexpr size_t kBase64Size = 43;  // without the padding

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

std::optional<SecretBytes> FromHex(absl::string_view text) {
  SecretBytes key(Secret::kSize);
  size_t size = 0;
  if (sodium_hex2bin(key.data(), key.size(), text.data(), text.size(), nullptr,
                     &size, nullptr) != 0 ||
      size != key.size()) {
    return std::nullopt;
  }
  return key;
}

std::optional<SecretBytes> FromBase64(absl::string_view text, int variant) {
  SecretBytes key(Secret::kSize);
  size_t size = 0;
  if (sodium_base642bin(key.data(), key.size(), text.data(), text.size(),
                        nullptr, &size, nullptr, variant) != 0 ||
      size != key.size()) {
    return std::nullopt;
  }
  return key;
}

std::optional<SecretBytes> FromBase64(absl::string_view text) {
  // libsodium 1.0.18 takes each byte beyond ASCII for the digit of 63.
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isascii)) {
    return std::nullopt;
  }
  // The padding says nothing: the length is known.
  if (text.size() == kBase64Size + 1 && text.back() == '=') {
    text.remove_suffix(1);
  }
  std::optional<SecretBytes> key =
      FromBase64(text, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  if (key.has_value()) return key;
  return FromBase64(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

absl::StatusOr<SecretBytes> Decode(absl::string_view text) {
  // Raw bytes may end in what looks like whitespace, or be letters.
  if (text.size() == Secret::kSize && !IsHex(text)) {
    return SecretBytes::Copy(text);
  }
  const absl::string_view trimmed = absl::StripTrailingAsciiWhitespace(text);
  const size_t size = trimmed.size();
  if (trimmed.empty()) return error::KeyTextEmpty();
  if (IsHex(trimmed)) {
    if (size == kHexSize / 2) return error::KeyTextHexTooShort();
    std::optional<SecretBytes> key = FromHex(trimmed);
    if (!key.has_value()) return error::KeyTextHexLength(size);
    return *std::move(key);
  }
  if (size == kBase64Size || size == kBase64Size + 1) {
    std::optional<SecretBytes> key = FromBase64(trimmed);
    if (!key.has_value()) return error::KeyTextBase64(size);
    return *std::move(key);
  }
  if ((text.size() == Secret::kSize + 1 && absl::EndsWith(text, "\n")) ||
      (text.size() == Secret::kSize + 2 && absl::EndsWith(text, "\r\n"))) {
    return error::KeyTextRawWithNewline(text.size());
  }
  return error::KeyTextLength(text.size());
}

}  // namespace

absl::StatusOr<Secret> ParseKey(absl::string_view text) {
  const absl::StatusOr<SecretBytes> key = Decode(text);
  if (!key.ok()) return key.status();
  const absl::string_view bytes = key->RevealText();
  if (std::all_of(bytes.begin(), bytes.end(),
                  [&bytes](char byte) { return byte == bytes.front(); })) {
    return error::KeyTextAllEqual();
  }
  return Secret(absl::MakeConstSpan(
      reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
}

SecretBytes KeyAsText(const Secret& key) {
  SecretBytes text(kHexSize + 1);  // at first with a NUL at the end
  const absl::Span<const uint8_t> bytes = key.RevealKeyBytes();
  sodium_bin2hex(reinterpret_cast<char*>(text.data()), text.size(),
                 bytes.data(), bytes.size());
  text.data()[kHexSize] = '\n';
  return text;
}

absl::StatusOr<SecretBytes> ParsePassphrase(SecretBytes text) {
  for (const absl::string_view newline : {"\r\n", "\n"}) {
    if (!absl::EndsWith(text.RevealText(), newline)) continue;
    text.Truncate(text.size() - newline.size());
    break;
  }
  if (text.size() == 0) return error::PassphraseEmpty();
  return text;
}

}  // namespace statecpp
