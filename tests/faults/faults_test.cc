// SPDX-License-Identifier: Apache-2.0
//
// Every call that every operation makes to the system is failed in its turn,
// once and from then on: by an error of the disk, by a full one, by a short
// write, and by the end of the process before, within and after it. What must
// hold afterwards, and how to have one run again, is in README.md.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/fault.h"
#include "tests/faults/fault_loop.h"
#include "tests/faults/stage.h"
#include "tests/support/memory_dir.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using Kind = Fault::Kind;
using Sabotage = Stage::Sabotage;

constexpr Kind kKinds[] = {Kind::kEio,        Kind::kEnospc,
                           Kind::kShort,      Kind::kKillBefore,
                           Kind::kKillWithin, Kind::kKillAfter};

// No operation makes so many calls; a loop that goes on does not end.
constexpr uint64_t kEndless = 2000;

// Those for stores as this run has them.
std::vector<Operation> Operations() {
  std::vector<Operation> operations;
  for (const auto& some :
       {FolderOperations(), StoreOperations(), KeyOperations()}) {
    for (const Operation& operation : some) {
      const bool sealed = operation.stores == Operation::Stores::kSealed;
      const bool plain = operation.stores == Operation::Stores::kPlain;
      if (TestsAreSealed() ? !plain : !sealed) operations.push_back(operation);
    }
  }
  return operations;
}

struct Counts {
  int runs = 0;
  std::map<Answer, int> answers;
};

// The runs of one kind of fault until none is reached.
void FailEach(FaultLoop& loop, Kind kind, bool sticky, uint64_t step,
              Counts& counts) {
  for (uint64_t at = 1;; at += step) {
    const Fault fault = {kind, sticky, at};
    ASSERT_LT(at, kEndless);
    const FaultLoop::Outcome outcome = loop.RunOnce(fault);
    EXPECT_EQ(outcome.wrong, "")
        << "STATECPP_TEST_FAULT='" << loop.operation().name << " "
        << Describe(fault) << "': " << outcome.call << ": " << outcome.status;
    if (!outcome.reached) return;
    ++counts.runs;
    ++counts.answers[outcome.answer];
  }
}

class FaultsTest : public ::testing::TestWithParam<Operation> {
 protected:
  void FailIn(const std::string& folder, uint64_t step) {
    FaultLoop loop(GetParam(), folder, Sabotage::kNone);
    ASSERT_EQ(loop.Prepare(), "");
    Counts all;
    std::string line;
    for (const Kind kind : kKinds) {
      for (const bool sticky : {false, true}) {
        if (sticky && Fault{kind}.kills()) continue;
        Counts counts;
        FailEach(loop, kind, sticky, step, counts);
        all.runs += counts.runs;
        for (const auto& [answer, count] : counts.answers) {
          all.answers[answer] += count;
        }
        line += " " + std::to_string(counts.runs);
      }
    }
    std::printf(
        "%-14s %3d calls,%s: %d runs (%d done, %d refused, %d unknown, %d "
        "killed)\n",
        GetParam().name.c_str(), static_cast<int>(loop.calls()), line.c_str(),
        all.runs, all.answers[Answer::kYes], all.answers[Answer::kNo],
        all.answers[Answer::kMaybe], all.answers[Answer::kNone]);
    EXPECT_GE(loop.calls(), GetParam().least_calls);
  }
};

INSTANTIATE_TEST_SUITE_P(All, FaultsTest, ::testing::ValuesIn(Operations()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(FaultsTest, EveryCallFailsOnceAndFromThenOn) {
  const MemoryDir dir;
  FailIn(dir.path(), 1);
}

// STATECPP_TEST_FAULT='set EIO sticky 7' makes that run alone, and tells the
// calls that came to it.
TEST(FaultReplayTest, MakesTheRunThatIsAskedFor) {
  const char* const wanted = std::getenv("STATECPP_TEST_FAULT");
  if (wanted == nullptr) return;
  std::istringstream words(wanted);
  std::string name, kind_name, how;
  Fault fault;
  words >> name >> kind_name >> how >> fault.at;
  fault.sticky = how == "sticky";
  for (const Kind kind : kKinds) {
    if (NameOf(kind) == kind_name) fault.kind = kind;
  }
  for (const Operation& operation : Operations()) {
    if (operation.name != name) continue;
    const MemoryDir dir;
    FaultLoop loop(operation, dir.path(), Sabotage::kNone);
    ASSERT_EQ(loop.Prepare(), "");
    const FaultLoop::Outcome outcome = loop.RunOnce(fault);
    std::printf("%s\n%s", outcome.status.c_str(), outcome.trace.c_str());
    EXPECT_TRUE(outcome.reached);
    EXPECT_EQ(outcome.wrong, "");
    return;
  }
  ADD_FAILURE() << "no operation " << name;
}

}  // namespace
}  // namespace statecpp
