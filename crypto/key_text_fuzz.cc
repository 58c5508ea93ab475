// SPDX-License-Identifier: Apache-2.0
//
// A key is what its forms say it is, by the means of another library, and is
// the same when it is printed and read again.
#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/strip.h"
#include "crypto/key_text.h"
#include "crypto/secret.h"
#include "tests/fuzz/fuzz_target.h"

namespace statecpp {
namespace {

std::string BytesOf(const Secret& key) {
  const absl::Span<const uint8_t> bytes = key.RevealKeyBytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

// The key that the header of key_text.h takes this text for.
std::optional<std::string> Reference(absl::string_view text) {
  if (text.size() == 32 && !IsHex(text)) return std::string(text);
  const absl::string_view word = absl::StripTrailingAsciiWhitespace(text);
  if (IsHex(word)) {
    if (word.size() != 64) return std::nullopt;
    return absl::HexStringToBytes(word);
  }
  const absl::string_view bare =
      word.size() == 44 ? absl::StripSuffix(word, "=") : word;
  if (bare.size() != 43) return std::nullopt;
  // Encoded again, because the last character has bits that say nothing.
  std::string bytes;
  std::string again;
  // White space inside is nothing to it: then there are not 32 bytes.
  if (absl::Base64Unescape(bare, &bytes) && bytes.size() == Secret::kSize) {
    absl::Base64Escape(bytes, &again);
    again.pop_back();  // the padding
    if (again == bare) return bytes;
  }
  if (absl::WebSafeBase64Unescape(bare, &bytes) &&
      absl::WebSafeBase64Escape(bytes) == bare) {
    return bytes;
  }
  return std::nullopt;
}

void CheckPassphrase(absl::string_view text) {
  const absl::StatusOr<SecretBytes> passphrase =
      ParsePassphrase(SecretBytes::Copy(text));
  absl::string_view expected = text;
  if (!absl::ConsumeSuffix(&expected, "\r\n")) {
    absl::ConsumeSuffix(&expected, "\n");
  }
  Expect(passphrase.ok() == !expected.empty(),
         "all but nothing is a passphrase");
  Expect(!passphrase.ok() || passphrase->RevealText() == expected,
         "a passphrase is the text without one newline");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  const absl::string_view text = input.Rest().substr(0, kMaxKeyText);
  CheckPassphrase(text);
  const absl::StatusOr<Secret> key = ParseKey(text);
  std::optional<std::string> expected = Reference(text);
  if (expected.has_value() &&
      expected->find_first_not_of(expected->front()) == expected->npos) {
    expected.reset();  // all bytes are the same
  }
  Expect(key.ok() == expected.has_value(), "the reference takes the same keys");
  if (!key.ok()) return;
  Expect(BytesOf(*key) == *expected, "the reference reads the same key");
  const SecretBytes printed = KeyAsText(*key);
  const absl::StatusOr<Secret> again = ParseKey(printed.RevealText());
  Expect(again.ok() && BytesOf(*again) == *expected, "a key reads back");
}

}  // namespace statecpp
