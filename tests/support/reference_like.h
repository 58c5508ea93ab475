// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_REFERENCE_LIKE_H_
#define STATECPP_TESTS_SUPPORT_REFERENCE_LIKE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// LIKE and UTF-8 once more, by other means than the engine's: a character is
// what comes out the same when it is decoded and encoded again, and a wildcard
// tries everything. Slow, for short texts.
namespace statecpp {

inline std::string EncodeUtf8(uint32_t code) {
  std::string out;
  if (code < 0x80) {
    out = {static_cast<char>(code)};
  } else if (code < 0x800) {
    out = {static_cast<char>(0xC0 | code >> 6),
           static_cast<char>(0x80 | (code & 63))};
  } else if (code < 0x10000) {
    out = {static_cast<char>(0xE0 | code >> 12),
           static_cast<char>(0x80 | (code >> 6 & 63)),
           static_cast<char>(0x80 | (code & 63))};
  } else {
    out = {static_cast<char>(0xF0 | code >> 18),
           static_cast<char>(0x80 | (code >> 12 & 63)),
           static_cast<char>(0x80 | (code >> 6 & 63)),
           static_cast<char>(0x80 | (code & 63))};
  }
  return out;
}

inline std::vector<std::string> ReferenceCharacters(const std::string& text) {
  std::vector<std::string> characters;
  size_t at = 0;
  while (at < text.size()) {
    std::string found = text.substr(at, 1);
    for (size_t size = 2; size <= 4 && at + size <= text.size(); ++size) {
      static constexpr uint32_t kLeadBits[] = {0, 0, 0x1F, 0x0F, 0x07};
      uint32_t code = static_cast<uint8_t>(text[at]) & kLeadBits[size];
      for (size_t i = 1; i < size; ++i) {
        code = code << 6 | (static_cast<uint8_t>(text[at + i]) & 63);
      }
      const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
      if (code <= 0x10FFFF && !is_surrogate &&
          EncodeUtf8(code) == text.substr(at, size)) {
        found = text.substr(at, size);
      }
    }
    at += found.size();
    characters.push_back(found);
  }
  return characters;
}

inline bool ReferenceLikeFrom(const std::vector<std::string>& pattern, size_t p,
                              const std::vector<std::string>& key, size_t k) {
  if (p == pattern.size()) return k == key.size();
  if (pattern[p] == "%") {
    for (size_t rest = k; rest <= key.size(); ++rest) {
      if (ReferenceLikeFrom(pattern, p + 1, key, rest)) return true;
    }
    return false;
  }
  if (k == key.size()) return false;
  if (pattern[p] == "_") return ReferenceLikeFrom(pattern, p + 1, key, k + 1);
  const size_t literal =
      pattern[p] == "\\" && p + 1 < pattern.size() ? p + 1 : p;
  return pattern[literal] == key[k] &&
         ReferenceLikeFrom(pattern, literal + 1, key, k + 1);
}

inline bool ReferenceLike(const std::string& pattern, const std::string& key) {
  return ReferenceLikeFrom(ReferenceCharacters(pattern), 0,
                           ReferenceCharacters(key), 0);
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_REFERENCE_LIKE_H_
