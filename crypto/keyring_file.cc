// SPDX-License-Identifier: Apache-2.0
#include "crypto/keyring_file.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <set>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "crypto/errors.h"
#include "crypto/key_text.h"

namespace statecpp {
namespace {

namespace json = simdjson::ondemand;

// One of "keys", as it stands.
struct Entry {
  std::string name = "";
  std::optional<Secret> key = std::nullopt;
  std::optional<PassphrasePlace> passphrase = std::nullopt;
  bool only_unlocks = false;
};

struct Contents {
  std::optional<std::string> primary = std::nullopt;
  bool has_version = false;
  std::optional<std::vector<Entry>> entries = std::nullopt;
};

absl::Status NotJson(simdjson::error_code code) {
  return error::KeyringNotJson(simdjson::error_message(code));
}

// Strings of the text, but for keys. In memory of its own that is guarded: to
// unescape one the parser copies more than the string, and what stands behind
// it may be a key. So neither get_string() nor unescaped_key() will do, which
// copy into the parser's memory.
class Strings {
 public:
  Strings(const json::parser& parser, size_t text_size)
      : parser_(parser), buffer_(text_size + simdjson::SIMDJSON_PADDING) {}

  simdjson::simdjson_result<std::string> Get(json::raw_json_string raw) {
    uint8_t* end = buffer_.data();
    const auto text = parser_.unescape(raw, end);
    if (text.error()) return text.error();
    return std::string(text.value_unsafe());
  }

 private:
  const json::parser& parser_;
  SecretBytes buffer_;
};

// Calls `visit` for each field. Each is one of `known`, and there once.
absl::Status ForEachField(
    Strings& strings, json::object object,
    std::initializer_list<absl::string_view> known,
    absl::FunctionRef<absl::Status(absl::string_view, json::value)> visit) {
  std::set<std::string> seen;
  for (auto each : object) {
    json::field field;
    if (const auto code = std::move(each).get(field)) return NotJson(code);
    std::string text;
    if (const auto code = strings.Get(field.key()).get(text)) {
      return NotJson(code);
    }
    if (std::find(known.begin(), known.end(), text) == known.end()) {
      return error::KeyringUnknownField(text, absl::StrJoin(known, ", "));
    }
    if (!seen.insert(text).second) return error::KeyringRepeatedField(text);
    const absl::Status status = visit(text, field.value());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> StringOf(Strings& strings, absl::string_view field,
                                     json::value value) {
  json::raw_json_string raw;
  std::string text;
  if (value.get_raw_json_string().get(raw) || strings.Get(raw).get(text)) {
    return error::KeyringFieldType(field, "a string");
  }
  return text;
}

// The key stays where it stands: the parser hands out its place.
absl::StatusOr<Secret> KeyOf(json::value value) {
  const auto token = value.raw_json_token();
  absl::string_view text = absl::StripTrailingAsciiWhitespace(
      absl::string_view(token.data(), token.size()));
  if (text.size() < 2 || !absl::ConsumePrefix(&text, "\"") ||
      !absl::ConsumeSuffix(&text, "\"")) {
    return error::KeyringFieldType("key", "a string");
  }
  if (text.find('\\') != absl::string_view::npos) {
    return error::KeyringEscapedKey();
  }
  return ParseKey(text);
}

absl::StatusOr<std::vector<std::string>> CommandOf(Strings& strings,
                                                   json::value value) {
  json::array array;
  if (value.get_array().get(array)) {
    return error::KeyringFieldType("exec", "a list of strings");
  }
  std::vector<std::string> command;
  for (auto each : array) {
    json::value word;
    if (const auto code = std::move(each).get(word)) return NotJson(code);
    absl::StatusOr<std::string> text = StringOf(strings, "exec", word);
    if (!text.ok()) return text.status();
    command.push_back(*std::move(text));
  }
  return command;
}

absl::StatusOr<PassphrasePlace> PassphraseOf(Strings& strings,
                                             json::value value) {
  json::object object;
  if (value.get_object().get(object)) {
    return error::KeyringFieldType("passphrase", "an object");
  }
  PassphrasePlace place;
  const absl::Status status = ForEachField(
      strings, object, {"file", "exec"},
      [&](absl::string_view field, json::value each) -> absl::Status {
        if (field == "exec") {
          absl::StatusOr<std::vector<std::string>> command =
              CommandOf(strings, each);
          if (command.ok()) place.command = *std::move(command);
          return command.status();
        }
        absl::StatusOr<std::string> file = StringOf(strings, field, each);
        if (file.ok()) place.file = *std::move(file);
        return file.status();
      });
  if (!status.ok()) return status;
  if (place.file.empty() == place.command.empty()) {
    return error::KeyringNeitherFileNorCommand();
  }
  return place;
}

absl::Status ReadEntryField(Strings& strings, absl::string_view field,
                            json::value value, Entry& entry) {
  if (field == "key") {
    absl::StatusOr<Secret> key = KeyOf(value);
    if (key.ok()) entry.key = *std::move(key);
    return key.status();
  }
  if (field == "passphrase") {
    absl::StatusOr<PassphrasePlace> place = PassphraseOf(strings, value);
    if (place.ok()) entry.passphrase = *std::move(place);
    return place.status();
  }
  const absl::StatusOr<std::string> text = StringOf(strings, field, value);
  if (!text.ok()) return text.status();
  if (field == "name") {
    entry.name = *text;
    return absl::OkStatus();
  }
  if (*text != "unlock") return error::KeyringUnknownUse();
  entry.only_unlocks = true;
  return absl::OkStatus();
}

absl::Status ReadEntry(Strings& strings, json::value value, size_t number,
                       Entry& entry) {
  json::object object;
  if (value.get_object().get(object)) {
    return error::KeyringFieldType("keys", "a list of objects");
  }
  const absl::Status status =
      ForEachField(strings, object, {"name", "key", "passphrase", "use"},
                   [&](absl::string_view field, json::value each) {
                     return ReadEntryField(strings, field, each, entry);
                   });
  if (!status.ok()) return error::InKeyringEntry(number, entry.name, status);
  if (!IsMasterKeyName(entry.name)) return error::KeyringBadName(number);
  if (entry.key.has_value() == entry.passphrase.has_value()) {
    return error::InKeyringEntry(number, entry.name,
                                 error::KeyringNeitherKeyNorPassphrase());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Entry>> EntriesOf(Strings& strings,
                                             json::value value) {
  json::array array;
  if (value.get_array().get(array)) {
    return error::KeyringFieldType("keys", "a list of objects");
  }
  std::vector<Entry> entries;
  std::set<std::string> names;
  for (auto each : array) {
    json::value one;
    if (const auto code = std::move(each).get(one)) return NotJson(code);
    Entry entry;
    const absl::Status status =
        ReadEntry(strings, one, entries.size() + 1, entry);
    if (!status.ok()) return status;
    if (!names.insert(entry.name).second) {
      return error::KeyringRepeatedName(entry.name);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

absl::Status ReadField(Strings& strings, absl::string_view field,
                       json::value value, Contents& contents) {
  if (field == "version") {
    auto version = value.get_uint64();
    if (version.error() || version.value_unsafe() != 1) {
      return error::KeyringUnknownVersion();
    }
    contents.has_version = true;
    return absl::OkStatus();
  }
  if (field == "primary") {
    absl::StatusOr<std::string> primary = StringOf(strings, field, value);
    if (primary.ok()) contents.primary = *std::move(primary);
    return primary.status();
  }
  absl::StatusOr<std::vector<Entry>> entries = EntriesOf(strings, value);
  if (entries.ok()) contents.entries = *std::move(entries);
  return entries.status();
}

absl::StatusOr<Contents> Parse(const SecretBytes& text) {
  // The parser reads, and does not mind, what stands behind the text.
  SecretBytes padded(text.size() + simdjson::SIMDJSON_PADDING);
  const absl::string_view bytes = text.RevealText();
  if (!bytes.empty()) std::memcpy(padded.data(), bytes.data(), bytes.size());
  json::parser parser;
  json::document document;
  if (const auto code =
          parser.iterate(padded.data(), text.size(), padded.size())
              .get(document)) {
    return NotJson(code);
  }
  json::object object;
  if (const auto code = document.get_object().get(object)) return NotJson(code);
  Strings strings(parser, text.size());
  Contents contents;
  const absl::Status status =
      ForEachField(strings, object, {"version", "primary", "keys"},
                   [&](absl::string_view field, json::value value) {
                     return ReadField(strings, field, value, contents);
                   });
  if (!status.ok()) return status;
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return error::KeyringNotJson("more stands behind its end");
  }
  if (!contents.has_version) return error::KeyringMissingField("version");
  if (!contents.primary.has_value()) {
    return error::KeyringMissingField("primary");
  }
  if (!contents.entries.has_value()) return error::KeyringMissingField("keys");
  return contents;
}

absl::StatusOr<MasterKey> KeyOf(Entry entry,
                                const ReadPassphrase& read_passphrase) {
  if (entry.key.has_value()) {
    return MasterKey::FromKey(std::move(entry.name), *std::move(entry.key));
  }
  absl::StatusOr<SecretBytes> passphrase = read_passphrase(*entry.passphrase);
  if (!passphrase.ok()) return passphrase.status();
  return MasterKey::FromPassphrase(std::move(entry.name),
                                   *std::move(passphrase));
}

}  // namespace

absl::StatusOr<MasterKeys> ParseKeyringFile(
    const SecretBytes& text, const ReadPassphrase& read_passphrase) {
  absl::StatusOr<Contents> contents = Parse(text);
  if (!contents.ok()) return contents.status();
  std::vector<Entry>& entries = *contents->entries;
  const auto primary = std::find_if(entries.begin(), entries.end(),
                                    [&contents](const Entry& entry) {
                                      return entry.name == *contents->primary;
                                    });
  if (primary == entries.end()) {
    return error::KeyringPrimaryUnknown(*contents->primary);
  }
  if (primary->only_unlocks) {
    return error::KeyringPrimaryOnlyUnlocks(*contents->primary);
  }
  std::rotate(entries.begin(), primary, primary + 1);
  MasterKeys keys;
  for (Entry& entry : entries) {
    absl::StatusOr<MasterKey> key = KeyOf(std::move(entry), read_passphrase);
    if (!key.ok()) return key.status();
    keys.push_back(*std::move(key));
  }
  return keys;
}

}  // namespace statecpp
