// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_CUT_LEDGER_H_
#define STATECPP_TESTS_POWER_CUT_LEDGER_H_

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace statecpp {

// What a writer has begun and what was acknowledged to it, in memory that it
// shares with the test, on no disk at all.
//
// Each slot is a pair of keys, written by one thread, by transactions: write n
// of a slot leaves the values that are n's, or deletes both.
struct CutLedger {
  static constexpr int kThreads = 4;
  static constexpr int kSlots = 32;

  struct Slot {
    std::atomic<uint64_t> begun;
    std::atomic<uint64_t> acknowledged;
    std::atomic<uint64_t> etags[2];  // of the one that was acknowledged
  };

  uint64_t seed;
  std::atomic<bool> made;  // the store was opened once
  std::atomic<bool> ready;
  Slot slots[kSlots];
  std::atomic<uint64_t> acknowledged;
  // What the test found: violations of each kind, and the first of them.
  std::atomic<uint64_t> lost;
  std::atomic<uint64_t> torn;
  std::atomic<uint64_t> false_answers;
  char text[600];

  static std::string Key(int slot, int side) {
    return absl::StrCat("cut||", slot, "||", side);
  }

  static std::optional<std::string> Value(int slot, int side, uint64_t number) {
    if (number == 0 || number % 7 == 0) return std::nullopt;
    constexpr size_t kSizes[] = {0, 30, 900, 1100, 5000, 40'000};
    return absl::StrCat("slot ", slot, side, " write ", number, " ",
                        std::string(kSizes[number % 5 + number % 11 / 10],
                                    static_cast<char>('a' + number % 26)));
  }

  void Wrong(std::atomic<uint64_t>& kind, const std::string& words) {
    if (text[0] == '\0') std::snprintf(text, sizeof(text), "%s", words.c_str());
    ++kind;
  }
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_CUT_LEDGER_H_
