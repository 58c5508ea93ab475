// SPDX-License-Identifier: Apache-2.0
//
// A keyring file gives keys that are in order, the same ones when they are
// written down and read again; and no error shows what may be a key.
#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "crypto/key_text.h"
#include "crypto/keyring_file.h"
#include "tests/fuzz/fuzz_target.h"

namespace statecpp {
namespace {

// Names up to this size are shown.
constexpr size_t kShown = 32;

bool MayBeInKey(char c) {
  return absl::ascii_isalnum(c) || absl::StrContains("+/-_=", c);
}

// Whether the message has a part of the text that is long enough for a key.
bool ShowsKey(absl::string_view text, absl::string_view message) {
  size_t start = 0;
  for (size_t end = 0; end < text.size(); ++end) {
    if (!MayBeInKey(text[end])) {
      start = end + 1;
    } else if (end - start == kShown) {
      if (absl::StrContains(message, text.substr(start, kShown + 1))) {
        return true;
      }
      ++start;
    }
  }
  return false;
}

std::string PassphraseOf(const PassphrasePlace& place) {
  return absl::StrCat(place.file, "|", absl::StrJoin(place.command, " "));
}

absl::StatusOr<MasterKeys> Parse(absl::string_view text) {
  return ParseKeyringFile(
      SecretBytes::Copy(text),
      [](const PassphrasePlace& place) -> absl::StatusOr<SecretBytes> {
        Expect(place.file.empty() != place.command.empty(),
               "a passphrase has one place");
        return SecretBytes::Copy(PassphraseOf(place));
      });
}

// What a passphrase says of its place goes into a file's name, escaped where
// JSON would have it so; a text that JSON cannot hold is replaced.
std::string EntryOf(const MasterKey& key) {
  if (key.key() == nullptr) {
    return absl::StrCat(
        "{\"name\":\"", key.name(), "\",\"passphrase\":{\"file\":\"",
        absl::BytesToHexString(key.passphrase()->RevealText()), "\"}}");
  }
  const SecretBytes text = KeyAsText(*key.key());
  return absl::StrCat("{\"name\":\"", key.name(), "\",\"key\":\"",
                      absl::StripAsciiWhitespace(text.RevealText()), "\"}");
}

std::string Print(const MasterKeys& keys) {
  return absl::StrCat("{\"version\":1,\"primary\":\"", keys.front().name(),
                      "\",\"keys\":[",
                      absl::StrJoin(keys, ",",
                                    [](std::string* out, const MasterKey& key) {
                                      out->append(EntryOf(key));
                                    }),
                      "]}");
}

bool AreSame(const MasterKey& a, const MasterKey& b) {
  if (a.name() != b.name() || (a.key() == nullptr) != (b.key() == nullptr)) {
    return false;
  }
  if (a.key() == nullptr) {
    return absl::StrCat(absl::BytesToHexString(a.passphrase()->RevealText()),
                        "|") == b.passphrase()->RevealText();
  }
  const absl::Span<const uint8_t> left = a.key()->RevealKeyBytes();
  const absl::Span<const uint8_t> right = b.key()->RevealKeyBytes();
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

}  // namespace

void FuzzOne(FuzzInput input) {
  const absl::string_view text = input.Rest().substr(0, kMaxKeyringFile);
  const absl::StatusOr<MasterKeys> keys = Parse(text);
  if (!keys.ok()) {
    Expect(absl::IsInvalidArgument(keys.status()), "the file is to blame");
    Expect(!ShowsKey(text, keys.status().message()), "no error shows a key");
    return;
  }
  Expect(!keys->empty(), "there is a primary key");
  std::set<std::string> names;
  for (const MasterKey& key : *keys) {
    Expect(IsMasterKeyName(key.name()) && names.insert(key.name()).second,
           "every key has a name of its own");
  }
  const absl::StatusOr<MasterKeys> again = Parse(Print(*keys));
  Expect(again.ok() && std::equal(keys->begin(), keys->end(), again->begin(),
                                  again->end(), AreSame),
         "keys that are written down read back");
}

}  // namespace statecpp
