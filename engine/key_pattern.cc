// SPDX-License-Identifier: Apache-2.0
#include "engine/key_pattern.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/match.h"
#include "engine/errors.h"

namespace statecpp {
namespace {

// The first character of `text`, which has one: a well-formed sequence of UTF-8
// (table 3-7 of the Unicode standard), or one byte.
absl::string_view FirstCharacter(absl::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  size_t size = 1;
  if (lead >= 0xC2 && lead <= 0xDF) size = 2;
  if (lead >= 0xE0 && lead <= 0xEF) size = 3;
  if (lead >= 0xF0 && lead <= 0xF4) size = 4;
  if (size > text.size()) return text.substr(0, 1);
  // The second byte keeps out overlong forms, surrogates, and what is past the
  // last code point.
  uint8_t lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  uint8_t highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < size; ++i) {
    if (byte(i) < lowest || byte(i) > highest) return text.substr(0, 1);
    lowest = 0x80;
    highest = 0xBF;
  }
  return text.substr(0, size);
}

}  // namespace

absl::StatusOr<KeyPattern> KeyPattern::Parse(absl::string_view text) {
  if (text.empty()) return error::EmptyPattern();
  KeyPattern pattern;
  bool escaped = false;
  while (!text.empty()) {
    const absl::string_view character = FirstCharacter(text);
    text.remove_prefix(character.size());
    if (!escaped && character == "\\" && !text.empty()) {
      escaped = true;
      continue;
    }
    if (!escaped && (character == "%" || character == "_")) {
      pattern.is_one_key_ = false;
      const Step::Kind kind =
          character == "%" ? Step::Kind::kAnyNumber : Step::Kind::kAnyOne;
      // Two in a row say what one does.
      if (kind == Step::Kind::kAnyOne || pattern.steps_.empty() ||
          pattern.steps_.back().kind != kind) {
        pattern.steps_.push_back({kind, ""});
      }
    } else {
      pattern.steps_.push_back(
          {Step::Kind::kCharacter, std::string(character)});
      if (pattern.is_one_key_) {
        pattern.head_.append(character.data(), character.size());
      }
    }
    escaped = false;
  }
  return pattern;
}

// Each `%` first takes nothing, and one character more whenever the rest does
// not fit. Only the last one that was reached: a later `%` can make up for all
// that an earlier one might have taken.
bool KeyPattern::Matches(absl::string_view key) const {
  if (!absl::StartsWith(key, head_)) return false;
  struct Place {
    size_t step;
    absl::string_view rest;
  };
  Place at = {0, key};
  std::optional<Place> behind_any;
  for (;;) {
    const Step* step = at.step < steps_.size() ? &steps_[at.step] : nullptr;
    if (step != nullptr && step->kind == Step::Kind::kAnyNumber) {
      behind_any = at = {at.step + 1, at.rest};
      continue;
    }
    if (at.rest.empty()) return step == nullptr;
    const absl::string_view character = FirstCharacter(at.rest);
    if (step != nullptr &&
        (step->kind == Step::Kind::kAnyOne || step->character == character)) {
      at = {at.step + 1, at.rest.substr(character.size())};
      continue;
    }
    if (!behind_any.has_value()) return false;
    behind_any->rest.remove_prefix(FirstCharacter(behind_any->rest).size());
    at = *behind_any;
  }
}

std::string PatternOfPrefix(absl::string_view prefix) {
  std::string pattern;
  for (const char c : prefix) {
    if (c == '%' || c == '_' || c == '\\') pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern + "%";
}

}  // namespace statecpp
