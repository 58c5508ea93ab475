// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_LONG_RUN_H_
#define STATECPP_TESTS_SUPPORT_LONG_RUN_H_

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace statecpp {

// A harness that runs for a moment as a test, and under `./dev prove` for as
// long as it is told to. Then it also says what it did:
//
//   LongRun run("crash", "store, on a disk", seed);
//   for (int cycle = 0; run.GoesOn(cycle, /*in_a_test=*/100); ++cycle) { … }
//   run.Count("kills", kills);
//   run.Found("lost", lost);
//
// STATECPP_PROVE_SECONDS is how long, and STATECPP_PROVE_LEDGER the file to
// which a line is added when the run ends (scripts/proof.py). Without the first
// it is a test.
class LongRun {
 public:
  LongRun(absl::string_view harness, absl::string_view part, uint64_t seed)
      : harness_(harness), part_(part), seed_(seed) {
    const char* const seconds = std::getenv("STATECPP_PROVE_SECONDS");
    if (seconds != nullptr) seconds_ = std::atof(seconds);
    for (const char* kind : {"lost", "torn", "false"}) Found(kind, 0);
    if (std::getenv("STATECPP_TEST_SEALED") != nullptr) part_ += ", sealed";
  }

  ~LongRun() {
    const char* const ledger = std::getenv("STATECPP_PROVE_LEDGER");
    if (ledger == nullptr) return;
    std::FILE* const file = std::fopen(ledger, "a");
    if (file == nullptr) std::abort();
    const std::string line = absl::StrCat(
        "{\"harness\": \"", harness_, "\", \"part\": \"", part_,
        "\", \"seed\": \"", seed_, "\", \"counts\": {", Json(counts_),
        "}, \"wrong\": {", Json(wrong_), "}, \"seconds\": ", Elapsed(), "}\n");
    if (std::fputs(line.c_str(), file) < 0 || std::fclose(file) != 0) {
      std::abort();
    }
  }

  LongRun(const LongRun&) = delete;
  LongRun& operator=(const LongRun&) = delete;

  bool is_long() const { return seconds_ > 0; }

  // Whether there is another cycle after so many. `share`: of the time, where
  // one process has several runs one after the other.
  bool GoesOn(int64_t done, int64_t in_a_test, double share = 1) const {
    return is_long() ? Elapsed() < seconds_ * share : done < in_a_test;
  }

  // Adds to what is reported. The names are nouns: kills, operations.
  void Count(absl::string_view name, uint64_t number) {
    Add(counts_, name, number);
  }
  // The same of what may not be: lost, torn, false.
  void Found(absl::string_view name, uint64_t number) {
    Add(wrong_, name, number);
  }

 private:
  using Numbers = std::vector<std::pair<std::string, uint64_t>>;

  static void Add(Numbers& numbers, absl::string_view name, uint64_t number) {
    for (auto& [other, sum] : numbers) {
      if (other == name) {
        sum += number;
        return;
      }
    }
    numbers.emplace_back(name, number);
  }

  static std::string Json(const Numbers& numbers) {
    std::string text;
    for (const auto& [name, number] : numbers) {
      absl::StrAppend(&text, text.empty() ? "" : ", ", "\"", name,
                      "\": ", number);
    }
    return text;
  }

  double Elapsed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                         begin_)
        .count();
  }

  const std::string harness_;
  std::string part_;
  const uint64_t seed_;
  const std::chrono::steady_clock::time_point begin_ =
      std::chrono::steady_clock::now();
  double seconds_ = 0;
  Numbers counts_;
  Numbers wrong_;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_LONG_RUN_H_
