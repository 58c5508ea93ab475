// SPDX-License-Identifier: Apache-2.0
//
// What the harness must find, planted: a disk that lies, answers that are not
// the store's, and operations that are not what they say.
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/fault.h"
#include "tests/faults/fault_loop.h"
#include "tests/faults/stage.h"
#include "tests/support/memory_dir.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = Fault::Kind;
using Sabotage = Stage::Sabotage;

// No call is failed by this.
constexpr Fault kNoFault = {};

Operation Named(const std::string& name) {
  for (const Operation& operation : StoreOperations()) {
    if (operation.name == name) return operation;
  }
  ADD_FAILURE() << "there is no operation " << name;
  return {};
}

class SabotageTest : public ::testing::Test {
 protected:
  // What is found wrong with the runs of the operation that a fault reaches,
  // one after the other; "": with none of them.
  std::string Find(const Operation& operation, Sabotage sabotage, Kind kind,
                   bool sticky = false) {
    FaultLoop loop(operation, dir_.path(), sabotage);
    EXPECT_EQ(loop.Prepare(), "");
    for (uint64_t at = 1; at < 100; ++at) {
      const FaultLoop::Outcome outcome = loop.RunOnce({kind, sticky, at});
      if (!outcome.wrong.empty()) return outcome.wrong;
      if (!outcome.reached) return "";
    }
    return "endless";
  }

  std::string FindWithoutFault(const Operation& operation, Sabotage sabotage) {
    FaultLoop loop(operation, dir_.path(), sabotage);
    EXPECT_EQ(loop.Prepare(), "");
    return loop.RunOnce(kNoFault).wrong;
  }

  MemoryDir dir_;
};

TEST_F(SabotageTest, NothingIsWrongWithoutOne) {
  EXPECT_EQ(FindWithoutFault(Named("transact"), Sabotage::kNone), "");
  EXPECT_EQ(Find(Named("set"), Sabotage::kNone, Kind::kKillAfter), "");
}

// Each write alone, and all from one on. (A sync that is swallowed loses
// nothing before a power cut, which is not played here.)
TEST_F(SabotageTest, AWriteThatTheDiskSwallowsIsFoundLost) {
  for (const bool sticky : {false, true}) {
    FaultLoop loop(Named("set"), dir_.path(), Sabotage::kNone);
    ASSERT_EQ(loop.Prepare(), "");
    int writes = 0;
    for (uint64_t at = 1;; ++at) {
      const Fault fault = {Kind::kSwallow, sticky, at};
      const FaultLoop::Outcome outcome = loop.RunOnce(fault);
      if (!outcome.reached) break;
      if (!absl::StrContains(outcome.call, "write")) continue;
      ++writes;
      EXPECT_NE(outcome.wrong, "") << Describe(fault);
    }
    EXPECT_GT(writes, 1);
  }
}

TEST_F(SabotageTest, AnOKForWhatWasRefusedIsFoundLost) {
  for (const char* name : {"set", "transact", "delete"}) {
    EXPECT_THAT(
        Find(Named(name), Sabotage::kSayYes, Kind::kEnospc, /*sticky=*/true),
        StartsWith("lost"))
        << name;
  }
}

TEST_F(SabotageTest, ANoForWhatWasDoneIsFoundFalse) {
  for (const char* name : {"set", "transact", "delete", "bulk"}) {
    EXPECT_THAT(FindWithoutFault(Named(name), Sabotage::kSayNo),
                StartsWith("false"))
        << name;
  }
}

TEST_F(SabotageTest, AStoreThatGoesOnAfterAFailedSyncIsFound) {
  EXPECT_THAT(Find(Named("set"), Sabotage::kHideStop, Kind::kEio),
              HasSubstr("did not stop the store"));
}

TEST_F(SabotageTest, AnETagThatIsNotTheItemsIsFound) {
  EXPECT_THAT(FindWithoutFault(Named("transact"), Sabotage::kRepeatETags),
              HasSubstr("ETag"));
}

TEST_F(SabotageTest, ATransactionInTwoPartsIsFoundTorn) {
  const Operation two = {
      .name = "two sets", .prepare = FillStore, .run = [](Stage& stage) {
        for (const char* key : {"item1", "item2"}) {
          const auto etag = stage.store().Set({.key = key, .value = "half"});
          if (!etag.ok()) return stage.Say(etag.status());
        }
        stage.Say(absl::OkStatus());
      }};
  EXPECT_THAT(Find(two, Sabotage::kNone, Kind::kKillAfter), StartsWith("torn"));
}

TEST_F(SabotageTest, AValueThatNobodyWroteIsFound) {
  const Operation wanders = {
      .name = "wanders", .prepare = FillStore, .run = [](Stage& stage) {
        const int64_t now = absl::GetCurrentTimeNanos();
        stage.Say(stage.store()
                      .Set({.key = "item5", .value = absl::StrCat(now)})
                      .status());
      }};
  EXPECT_THAT(FindWithoutFault(wanders, Sabotage::kNone),
              HasSubstr("item item5 is"));
}

TEST_F(SabotageTest, AProcessThatEndsByItselfIsFound) {
  const Operation aborts = {
      .name = "aborts", .prepare = FillStore, .run = [](Stage& stage) {
        const auto etag = stage.store().Set({.key = "item1", .value = "x"});
        stage.Say(etag.status());
        if (!etag.ok()) std::abort();
      }};
  EXPECT_THAT(Find(aborts, Sabotage::kNone, Kind::kEio),
              HasSubstr("ended by Aborted"));
}

// As a folder that is locked by nobody, and never looks abandoned.
TEST_F(SabotageTest, AFolderThatStaysAsideIsFound) {
  const Operation leaves = {
      .name = "leaves", .prepare = FillStore, .run = [](Stage& stage) {
        const auto etag =
            stage.store().Set({.key = "item1", .value = "x"}).status();
        stage.Say(etag);
        // A file, which no opening takes for a folder aside.
        if (!etag.ok()) std::ofstream(stage.folder() + "/.new-000000");
      }};
  EXPECT_THAT(Find(leaves, Sabotage::kNone, Kind::kEio),
              HasSubstr("stays aside"));
}

}  // namespace
}  // namespace statecpp
