// SPDX-License-Identifier: Apache-2.0
//
// What the library does to its files is recorded; the power is cut at every
// sync of it, and everything that a disk may then hold is tried (README.md).
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/power/explorer.h"
#include "tests/power/workload.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

class PowerStatesTest : public ::testing::TestWithParam<std::string> {};

TEST_P(PowerStatesTest, HoldAllThatWasAcknowledged) {
  const uint64_t seed = TestSeed();
  const absl::StatusOr<RecordedWork> work = Record(GetParam(), seed);
  ASSERT_THAT(work, IsOk());
  const Exploration exploration = {.seed = seed};
  const auto start = std::chrono::steady_clock::now();
  const Explored explored = Explore(*work, exploration);
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - start;
  std::printf("%s: %zu events, %llu cuts, %llu states, %.1f s\n",
              GetParam().c_str(), work->recording.events.size(),
              static_cast<unsigned long long>(explored.cuts),
              static_cast<unsigned long long>(explored.states), took.count());
  EXPECT_EQ(explored.wrong(), 0u)
      << "cut " << explored.first.cut << ", choice " << explored.first.choice
      << ": " << explored.first_text;
}

INSTANTIATE_TEST_SUITE_P(All, PowerStatesTest,
                         ::testing::ValuesIn(WorkloadNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace statecpp
