// SPDX-License-Identifier: Apache-2.0
//
// What the library does to its files is recorded; the power is cut at every
// sync of it, and everything that a disk may then hold is tried (README.md).
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/power/explorer.h"
#include "tests/power/workload.h"
#include "tests/support/long_run.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

// Where a store that was found broken is kept, as it was found.
std::string Keep(const DiskImage& image, const std::string& workload) {
  const char* const outputs = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  if (outputs == nullptr) return "nowhere; set TEST_UNDECLARED_OUTPUTS_DIR";
  const std::string folder = absl::StrCat(outputs, "/", workload);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  image.WriteTo(folder);
  return folder;
}

// STATECPP_POWER_STATE=workload,cut,choice: that state and no other.
std::optional<CrashState> OnlyState(const std::string& workload) {
  const char* const given = std::getenv("STATECPP_POWER_STATE");
  if (given == nullptr) return std::nullopt;
  const std::vector<std::string> words = absl::StrSplit(given, ',');
  CrashState state;
  if (words.size() != 3 || !absl::SimpleAtoi(words[1], &state.cut) ||
      !absl::SimpleAtoi(words[2], &state.choice)) {
    ADD_FAILURE() << "STATECPP_POWER_STATE is " << given;
  }
  if (words[0] != workload) state.cut = 0;
  return state;
}

void Report(const Explored& explored, LongRun& run) {
  run.Count("cuts", explored.cuts);
  run.Count("states", explored.states);
  run.Count("acknowledged", explored.acknowledged);
  run.Found("lost", explored.lost);
  run.Found("torn", explored.torn);
  run.Found("false", explored.false_answers);
}

class PowerStatesTest : public ::testing::TestWithParam<std::string> {};

TEST_P(PowerStatesTest, HoldAllThatWasAcknowledged) {
  const uint64_t seed = TestSeed();
  LongRun run("power", absl::StrCat("states, ", GetParam()), seed);
  const double share = 1.0 / static_cast<double>(WorkloadNames().size() + 1);
  uint64_t states = 0;
  for (int round = 0; run.GoesOn(round, 1, share); ++round) {
    const absl::StatusOr<RecordedWork> work = Record(GetParam(), seed + round);
    ASSERT_THAT(work, IsOk());
    const Exploration exploration = {.seed = seed + round};
    if (const auto only = OnlyState(GetParam()); only.has_value()) {
      if (only->cut == 0) GTEST_SKIP() << "STATECPP_POWER_STATE is another";
      const MemoryDir dir;
      ImageOf(*work, exploration, *only).WriteTo(dir.path());
      for (const Violation& violation :
           CheckState(*work, only->cut, dir.path(), /*goes_on=*/true)) {
        ADD_FAILURE() << violation.text;
      }
      return;
    }
    const Explored explored = Explore(*work, exploration);
    states += explored.states;
    Report(explored, run);
    ASSERT_EQ(explored.first_text, "")
        << explored.wrong() << " of " << explored.states
        << " states are wrong. To have this one again: STATECPP_TEST_SEED="
        << seed + round << " STATECPP_POWER_STATE=" << GetParam() << ","
        << explored.first.cut << "," << explored.first.choice << "; kept in "
        << Keep(ImageOf(*work, exploration, explored.first), GetParam());
  }
  std::printf("%s: %llu states\n", GetParam().c_str(),
              static_cast<unsigned long long>(states));
}

// Opening a store after a cut is itself cut.
TEST(PowerStatesAfterACutTest, HoldAllThatWasThere) {
  const uint64_t seed = TestSeed();
  LongRun run("power", "states, cut twice", seed);
  const std::vector<std::string> names = {"make", "sets", "transactions",
                                          "growth", "expiry"};
  std::mt19937_64 random(seed);
  uint64_t states = 0;
  for (int round = 0; run.GoesOn(round, 5, 1.0 / 9); ++round) {
    const absl::StatusOr<RecordedWork> first =
        Record(names[round % names.size()], seed + round);
    ASSERT_THAT(first, IsOk());
    const Exploration exploration = {.seed = seed + round, .choices = 10};
    const std::vector<CrashState> of_first = StatesOf(*first, exploration);
    for (int i = 0; i < 5; ++i) {
      const CrashState& state = of_first[random() % of_first.size()];
      const absl::StatusOr<RecordedWork> work =
          RecordAfter(*first, exploration, state);
      ASSERT_THAT(work, IsOk());
      const Explored explored = Explore(*work, exploration);
      states += explored.states;
      Report(explored, run);
      ASSERT_EQ(explored.first_text, "")
          << work->workload << ", cut " << state.cut << ", choice "
          << state.choice << ", and then cut " << explored.first.cut
          << ", choice " << explored.first.choice;
    }
  }
  std::printf("cut twice: %llu states\n",
              static_cast<unsigned long long>(states));
}

INSTANTIATE_TEST_SUITE_P(All, PowerStatesTest,
                         ::testing::ValuesIn(WorkloadNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace statecpp
