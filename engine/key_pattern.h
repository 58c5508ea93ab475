// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_KEY_PATTERN_H_
#define STATECPP_ENGINE_KEY_PATTERN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace statecpp {

// A pattern of keys, as KeyQuery::pattern describes it.
//
// Why `_` is a character and not a byte: so it is for SQLite, PostgreSQL and
// Dapr's in-memory store, while Dapr's stores on etcd and Redis take bytes.
// Where those disagree on the rest, this is the in-memory store, which Dapr's
// conformance suite was written with; but `%` and `_` match line ends, as in
// SQL.
class KeyPattern {
 public:
  // INVALID_ARGUMENT: `text` is empty.
  static absl::StatusOr<KeyPattern> Parse(absl::string_view text);

  // In time that grows with the product of both lengths at worst.
  bool Matches(absl::string_view key) const;

  // What every key that matches begins with.
  const std::string& head() const { return head_; }

  // True when nothing but head() matches.
  bool IsOneKey() const { return is_one_key_; }

 private:
  struct Step {
    enum class Kind { kCharacter, kAnyOne, kAnyNumber };

    Kind kind;
    std::string character;  // of kCharacter
  };

  KeyPattern() = default;

  std::vector<Step> steps_;
  std::string head_;
  bool is_one_key_ = true;
};

// The pattern of all keys that begin with `prefix`.
std::string PatternOfPrefix(absl::string_view prefix);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_KEY_PATTERN_H_
