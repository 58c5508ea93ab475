// SPDX-License-Identifier: Apache-2.0
//
// A pattern matches what the reference says it does.
#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "engine/key_pattern.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/reference_like.h"

namespace statecpp {
namespace {

// The reference tries everything: each wildcard more takes its time once more
// for each character of the key.
constexpr size_t kMaxSize = 32;
constexpr int kMaxWildcards = 5;

}  // namespace

void FuzzOne(FuzzInput input) {
  const std::string text(input.Sized());
  const std::string key(input.Rest());
  const absl::StatusOr<KeyPattern> pattern = KeyPattern::Parse(text);
  Expect(pattern.ok() == !text.empty(), "only what is empty is no pattern");
  if (!pattern.ok()) return;
  const bool matches = pattern->Matches(key);
  Expect(!matches || absl::StartsWith(key, pattern->head()),
         "what matches begins with the head");
  Expect(!pattern->IsOneKey() || matches == (key == pattern->head()),
         "where one key matches, it is the head");
  if (text.size() > kMaxSize || key.size() > kMaxSize ||
      std::count(text.begin(), text.end(), '%') > kMaxWildcards) {
    return;
  }
  Expect(matches == ReferenceLike(text, key), "the reference agrees");
}

}  // namespace statecpp
