// SPDX-License-Identifier: Apache-2.0
#include "tests/model/tape_check.h"

#include <rapidcheck.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

// How many shorter tapes are tried.
constexpr int kMaxShrinks = 1000;

}  // namespace

// rapidcheck has no public way to a seed but the environment of the process;
// what its own gtest.h calls takes one.
std::string TapeCheck::Falsify(uint64_t seed, const Play& play) const {
  rc::detail::TestParams params;
  params.seed = seed;
  params.maxSuccess = 1;
  // rapidcheck goes on from each tape that fails, so the last one is the
  // shortest. Its own report would be of a play more, which need not fail.
  std::string found;
  int shorter = 0;
  rc::detail::checkTestable(
      [&] {
        const Tape tape = *AnyTape(max_steps, clocks);
        if (!found.empty() && ++shorter > kMaxShrinks) return true;
        const absl::Status played = play(tape);
        if (played.ok()) return true;
        std::ostringstream text;
        text << tape << played.message();
        if (found.empty()) {
          std::cout << "STATECPP_TEST_SEED=" << seed << ": " << played.message()
                    << "\nlooking for a shorter tape than its "
                    << tape.steps.size() << " steps" << std::endl;
        }
        found = text.str();
        return false;
      },
      rc::detail::TestMetadata(), params);
  return found;
}

bool TapeCheck::Run(const Play& play) const {
  const uint64_t seed = TestSeed();
  // rapidcheck would print one of its own, which is not used.
  setenv("RC_PARAMS", absl::StrCat("seed=", seed).c_str(), /*overwrite=*/0);
  const char* const given = std::getenv("STATECPP_TEST_TAPES");
  const int count = given != nullptr ? std::atoi(given) : tapes;
  for (int i = 0; i < count; ++i) {
    const std::string wrong = Falsify(seed + i, play);
    if (wrong.empty()) continue;
    ADD_FAILURE() << "STATECPP_TEST_SEED=" << seed + i
                  << " STATECPP_TEST_TAPES=1\n"
                  << wrong;
    return false;
  }
  return given == nullptr;
}

}  // namespace statecpp
