// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_CRASH_LEDGER_H_
#define STATECPP_TESTS_CRASH_LEDGER_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace statecpp {

// What one writer may find after a crash. Kept outside the process that is
// killed: a write is noted before it is sent, and settled by its answer. Keys
// written together share one note, since they must come back together.
//
//   ledger.Begin({"a", "b"}, "7");
//   ... the server dies: either value may be there, but the same in both ...
//   ledger.Settle(true);
//
// One writer, one thread.
class Ledger {
 public:
  using Value = std::optional<std::string>;  // nullopt: no item

  // The write that is sent next.
  void Begin(std::vector<std::string> keys, Value value) {
    pending_keys_ = std::move(keys);
    pending_value_ = std::move(value);
  }

  // It was answered: applied, or surely not. A write without an answer stays
  // pending until Check.
  void Settle(bool applied) {
    if (applied) {
      for (const std::string& key : pending_keys_) {
        acknowledged_[key] = pending_value_;
      }
      ++settled_;
    }
    pending_keys_.clear();
  }

  // Compares with what is there now, all keys of this writer; the pending write
  // counts as acknowledged or never sent from now on, as it came back.
  void Check(const std::map<std::string, Value>& found) {
    bool applied = false;
    if (!pending_keys_.empty()) {
      applied = found.at(pending_keys_.front()) == pending_value_ &&
                acknowledged_[pending_keys_.front()] != pending_value_;
    }
    if (applied) {
      for (const std::string& key : pending_keys_) {
        acknowledged_[key] = pending_value_;
      }
    }
    for (const auto& [key, value] : found) {
      EXPECT_EQ(value.value_or("(none)"), acknowledged_[key].value_or("(none)"))
          << key << (applied ? " (an unanswered write came back)" : "");
    }
    pending_keys_.clear();
  }

  int settled() const { return settled_; }

 private:
  std::map<std::string, Value> acknowledged_;
  std::vector<std::string> pending_keys_;
  Value pending_value_;
  int settled_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_CRASH_LEDGER_H_
