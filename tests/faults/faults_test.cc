// SPDX-License-Identifier: Apache-2.0
//
// Every call that every operation makes to the system is failed in its turn,
// once and from then on: by an error of the disk, by a full one, by a short
// write, and by the end of the process before, within and after it. What must
// hold afterwards, and how to have one run again, is in README.md.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/fault.h"
#include "tests/faults/fault_loop.h"
#include "tests/faults/fault_proof.h"
#include "tests/faults/stage.h"
#include "tests/support/long_run.h"
#include "tests/support/memory_dir.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Kind = Fault::Kind;
using Sabotage = Stage::Sabotage;

constexpr Kind kKinds[] = {
    Kind::kEio,        Kind::kLateEio,    Kind::kEnospc,   Kind::kShort,
    Kind::kKillBefore, Kind::kKillWithin, Kind::kKillAfter};

// No operation makes so many calls; a loop that comes here does not end.
constexpr uint64_t kEndless = 2000;

// Of two faults, in a short run.
constexpr int kShortCompounds = 8;

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

Operation OperationOf(const std::string& name) {
  for (const Operation& operation : Operations()) {
    if (operation.name == name) return operation;
  }
  ADD_FAILURE() << "there is no operation " << name;
  return {};
}

std::string Replay(const Operation& operation, const Fault& fault) {
  return absl::StrCat("STATECPP_TEST_FAULT='", operation.name, " ",
                      Describe(fault), "'");
}

// The runs with one kind of fault until none is reached, `step` calls apart.
void FailEach(FaultLoop& loop, Kind kind, bool sticky, uint64_t step,
              FaultProof& proof) {
  // How writes are grouped is not the same each time.
  const int patience =
      loop.operation().leaves == Operation::Leaves::kEach ? 2 : 1;
  int missed = 0;
  for (uint64_t at = 1; missed < patience; at += step) {
    const Fault fault = {kind, sticky, at};
    ASSERT_LT(at, kEndless);
    const FaultLoop::Outcome outcome = loop.RunOnce(fault);
    EXPECT_EQ(outcome.wrong, "") << Replay(loop.operation(), fault) << " is "
                                 << outcome.call << ": " << outcome.status;
    proof.Add(outcome);
    missed += !outcome.reached;
  }
}

FaultProof FailAll(const Operation& operation, const std::string& folder,
                   uint64_t step) {
  FaultLoop loop(operation, folder, Sabotage::kNone);
  const std::string wrong = loop.Prepare();
  EXPECT_EQ(wrong, "");
  FaultProof all = {.operations = 1, .points = loop.calls()};
  if (!wrong.empty()) return all;
  std::string columns;
  for (const Kind kind : kKinds) {
    for (const bool sticky : {false, true}) {
      if (sticky && Fault{kind}.kills()) continue;
      FaultProof proof;
      FailEach(loop, kind, sticky, step, proof);
      all.Add(proof);
      absl::StrAppend(&columns, absl::Dec(proof.runs, absl::kSpacePad4));
    }
  }
  std::printf("%-13s %3d calls,%s: %s\n", operation.name.c_str(),
              static_cast<int>(loop.calls()), columns.c_str(),
              all.Describe().c_str());
  // Not vacuous: the least number of calls that the operation can do with.
  EXPECT_GE(loop.calls(), operation.least_calls);
  EXPECT_GE(all.runs * step, 4 * operation.least_calls);
  return all;
}

// Enters what all of a kind came to when the last of them has run.
class FaultsTest : public ::testing::TestWithParam<Operation> {
 protected:
  static void SetUpTestSuite() {
    std::printf(
        "runs with the first, second, ... call failed by: EIO once and from "
        "then on, EIO\nafter the call likewise, ENOSPC likewise, short "
        "likewise, SIGKILL before, within,\nafter\n");
    run_ = new LongRun("faults", "each call", 0);
  }
  static void TearDownTestSuite() {
    std::printf("%d operations, %d calls: %s\n",
                static_cast<int>(all_.operations),
                static_cast<int>(all_.points), all_.Describe().c_str());
    all_.ReportTo(*run_);
    delete run_;
  }

  static FaultProof all_;
  static LongRun* run_;
};
FaultProof FaultsTest::all_;
LongRun* FaultsTest::run_;

std::string TestNameOf(const ::testing::TestParamInfo<Operation>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, FaultsTest, ::testing::ValuesIn(Operations()),
                         TestNameOf);

TEST_P(FaultsTest, EveryCallFailsOnceAndFromThenOn) {
  const MemoryDir dir;
  all_.Add(FailAll(GetParam(), dir.path(), 1));
}

// Where a file system has blocks, and a sync something to do.
TEST(FaultsOnDiskTest, CallsOfAFewOperationsFail) {
  // So many calls apart: each run waits for the disk some ten times.
  const std::pair<const char*, uint64_t> kSteps[] = {
      {"create", 15}, {"transact", 2}, {"compact", 30}};
  for (const auto& [name, step] : kSteps) {
    const TempDir dir;
    FailAll(OperationOf(name), dir.path(), step);
  }
}

// A run of any operation with any fault, and then an opening with any other.
TEST(CompoundFaultsTest, AnOpeningAfterAFaultFailsAsWell) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  const auto draw = [&random](uint64_t below) { return random() % below; };
  const auto draw_fault = [&](uint64_t calls) {
    const Kind kind = kKinds[draw(std::size(kKinds))];
    return Fault{kind, !Fault{kind}.kills() && draw(2) == 0, 1 + draw(calls)};
  };
  LongRun run("faults", "two faults", seed);
  const std::vector<Operation> operations = Operations();
  FaultProof proof = {.operations = operations.size()};
  for (int round = 0; run.GoesOn(round, 1); ++round) {
    for (const Operation& operation : operations) {
      const MemoryDir dir;
      FaultLoop loop(operation, dir.path(), Sabotage::kNone);
      ASSERT_EQ(loop.Prepare(), "");
      if (round == 0) proof.points += loop.calls();
      for (int i = 0; i < kShortCompounds; ++i) {
        const Fault first = draw_fault(loop.calls());
        const Fault second = draw_fault(45);
        const FaultLoop::Outcome outcome = loop.RunOnce(first, second);
        EXPECT_EQ(outcome.wrong, "")
            << Replay(operation, first) << ", opened with " << Describe(second)
            << ": " << outcome.status << "\n"
            << outcome.trace;
        proof.Add(outcome);
      }
    }
  }
  std::printf("%d openings with a second fault: %s\n",
              static_cast<int>(proof.second_faults), proof.Describe().c_str());
  EXPECT_GT(proof.second_faults, 0u);
  proof.ReportTo(run);
}

// A process that died may have come to the renaming of the store's folder and
// not to the sync of its name.
TEST(FaultsTraceTest, AnOpeningSyncsTheNameBeforeItWrites) {
  const MemoryDir dir;
  FaultLoop loop(OperationOf("open"), dir.path(), Sabotage::kNone);
  ASSERT_EQ(loop.Prepare(), "");
  const std::string trace = loop.RunOnce({}).trace;
  const std::string until_written =
      trace.substr(0, std::min(trace.find(" pwrite store/data.mdb"),
                               trace.find(" writev store/data.mdb")));
  ASSERT_NE(until_written, trace);
  EXPECT_THAT(until_written, HasSubstr(" fsync .\n"));
  // Nor removes what a power cut could bring back in the store's place.
  EXPECT_THAT(until_written.substr(0, until_written.find(" fsync .\n")),
              Not(HasSubstr(" unlink")));
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
  const MemoryDir dir;
  FaultLoop loop(OperationOf(name), dir.path(), Sabotage::kNone);
  ASSERT_EQ(loop.Prepare(), "");
  const FaultLoop::Outcome outcome = loop.RunOnce(fault);
  std::printf("%s%s\n", outcome.trace.c_str(), outcome.status.c_str());
  EXPECT_TRUE(outcome.reached);
  EXPECT_EQ(outcome.wrong, "");
}

}  // namespace
}  // namespace statecpp
