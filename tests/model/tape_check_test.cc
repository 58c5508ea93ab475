// SPDX-License-Identifier: Apache-2.0
//
// What a reader of a failed test is promised: the tape again, and a short one.
#include "tests/model/tape_check.h"

#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr TapeCheck kCheck = {.tapes = 1, .max_steps = 200};

std::string TextOf(uint64_t seed) {
  std::ostringstream text;
  kCheck.Falsify(seed, [&text](const Tape& tape) {
    text << tape;
    return absl::OkStatus();
  });
  return text.str();
}

// A fault that it takes two steps to see, with any number of others between.
absl::Status FindsNoSweepBehindASet(const Tape& tape) {
  bool is_set = false;
  for (const Step& step : tape.steps) {
    for (const TapeWrite& write : step.writes) {
      is_set = is_set || (write.op.kind == WriteOp::Kind::kSet &&
                          write.op.key == "b" && write.op.ttl.has_value());
    }
    if (is_set && step.kind == Step::Kind::kSweep) {
      return absl::InternalError("a sweep behind a set");
    }
  }
  return absl::OkStatus();
}

TEST(TapeCheckTest, AFailingTapeIsMadeShort) {
  const uint64_t seed = TestSeed();
  std::string found;
  for (int i = 0; i < 1000 && found.empty(); ++i) {
    found = kCheck.Falsify(seed + i, FindsNoSweepBehindASet);
  }
  EXPECT_THAT(found, AllOf(HasSubstr("  1. "), HasSubstr("set 'b' = "),
                           HasSubstr("  2. sweep\n"), Not(HasSubstr("  3. ")),
                           HasSubstr("a sweep behind a set")));
}

TEST(TapeCheckTest, ASeedMakesOneTape) {
  const uint64_t seed = TestSeed();
  EXPECT_EQ(TextOf(seed), TextOf(seed));
  EXPECT_NE(TextOf(seed) + TextOf(seed + 1), TextOf(seed + 2) + TextOf(seed));
}

TEST(TapeCheckTest, TheSeedAndTheNumberOfTapesAreTakenFromTheEnvironment) {
  setenv("STATECPP_TEST_SEED", "41", /*overwrite=*/1);
  setenv("STATECPP_TEST_TAPES", "2", /*overwrite=*/1);
  std::vector<std::string> played;
  const bool all = kCheck.Run([&played](const Tape& tape) {
    std::ostringstream text;
    text << tape;
    played.push_back(text.str());
    return absl::OkStatus();
  });
  unsetenv("STATECPP_TEST_SEED");
  unsetenv("STATECPP_TEST_TAPES");
  EXPECT_FALSE(all);
  EXPECT_EQ(played, (std::vector<std::string>{TextOf(41), TextOf(42)}));
}

}  // namespace
}  // namespace statecpp
