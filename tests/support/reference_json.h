// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_REFERENCE_JSON_H_
#define STATECPP_TESTS_SUPPORT_REFERENCE_JSON_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/reference_like.h"

// What is JSON, once more: RFC 8259 rule by rule, by recursion over characters,
// and nothing of the engine's or its parser's.
namespace statecpp {

class ReferenceJson {
 public:
  // In UTF-8, its strings Unicode, and nested no deeper than `max_depth`.
  static bool IsJson(const std::string& text, int max_depth) {
    if (std::any_of(text.begin(), text.end(), IsPastAscii) &&
        !IsUtf8(ReferenceCharacters(text))) {
      return false;
    }
    ReferenceJson reader(text);
    return reader.Value(max_depth) && reader.at_ == text.size();
  }

 private:
  static bool IsPastAscii(char c) { return static_cast<uint8_t>(c) > 0x7F; }
  static bool IsUtf8(const std::vector<std::string>& characters) {
    return std::none_of(
        characters.begin(), characters.end(), [](const std::string& character) {
          return character.size() == 1 && IsPastAscii(character[0]);
        });
  }

  explicit ReferenceJson(const std::string& text) : text_(text) {}

  // Past the end a NUL, which is no character of JSON outside a string and
  // none in one.
  char Next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool TakeWord(const char* word) {
    for (; *word != '\0'; ++word) {
      if (!Take(*word)) return false;
    }
    return true;
  }
  void Space() {
    while (Take(' ') || Take('\t') || Take('\n') || Take('\r')) {
    }
  }

  bool Value(int depth) {
    Space();
    bool good = false;
    switch (Next()) {
      case '{':
        good = depth > 0 && Members('{', '}', depth);
        break;
      case '[':
        good = depth > 0 && Members('[', ']', depth);
        break;
      case '"':
        good = String();
        break;
      case 't':
        good = TakeWord("true");
        break;
      case 'f':
        good = TakeWord("false");
        break;
      case 'n':
        good = TakeWord("null");
        break;
      default:
        good = Number();
    }
    Space();
    return good;
  }

  // Those of an object or an array.
  bool Members(char open, char close, int depth) {
    Take(open);
    Space();
    if (Take(close)) return true;
    do {
      Space();
      if (open == '{') {
        if (!String()) return false;
        Space();
        if (!Take(':')) return false;
      }
      if (!Value(depth - 1)) return false;
    } while (Take(','));
    return Take(close);
  }

  bool Digits() {
    const size_t start = at_;
    while (Next() >= '0' && Next() <= '9') ++at_;
    return at_ > start;
  }

  bool Number() {
    Take('-');
    if (!Take('0') && !Digits()) return false;
    if (Take('.') && !Digits()) return false;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      return Digits();
    }
    return true;
  }

  bool String() {
    if (!Take('"')) return false;
    while (!Take('"')) {
      if (at_ == text_.size() || static_cast<uint8_t>(Next()) < 0x20) {
        return false;
      }
      if (Take('\\')) {
        if (!Escape()) return false;
      } else {
        ++at_;
      }
    }
    return true;
  }

  bool Escape() {
    for (const char c : std::string("\"\\/bfnrt")) {
      if (Take(c)) return true;
    }
    uint32_t unit = 0;
    if (!Take('u') || !Hex(unit)) return false;
    if (unit < 0xD800 || unit > 0xDFFF) return true;
    // A surrogate is the first of two, or it is none.
    uint32_t low = 0;
    return unit < 0xDC00 && Take('\\') && Take('u') && Hex(low) &&
           low >= 0xDC00 && low <= 0xDFFF;
  }

  bool Hex(uint32_t& unit) {
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = Next();
      if (c >= '0' && c <= '9') {
        unit = unit << 4 | static_cast<uint32_t>(c - '0');
      } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
        unit = unit << 4 | static_cast<uint32_t>((c | 0x20) - 'a' + 10);
      } else {
        return false;
      }
    }
    return true;
  }

  const std::string& text_;
  size_t at_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_REFERENCE_JSON_H_
