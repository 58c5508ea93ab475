// SPDX-License-Identifier: Apache-2.0
//
// What it is to accept a store as it is, after a walk that found damage.
#include <optional>
#include <string>

#include "engine/store_verifier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/damaged_store.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using Kind = WalkFinding::Kind;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;

class StoreRepairTest : public DamagedStoreTest {
 protected:
  void SetUp() override {
    DamagedStoreTest::SetUp();
    for (const char* key : {"a", "b||c", "d"}) {
      ASSERT_THAT(store().Set({.key = key, .value = "1"}), IsOk());
    }
  }
};

TEST_F(StoreRepairTest, ADeletionStaysVisibleUntilItIsAccepted) {
  WriteRecord(PlaceOf("a"), std::nullopt);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Verify().findings, ElementsAre(IsFinding(Kind::kRecords, "")));
    Open();
    // Nothing that is written mends the sum.
    ASSERT_THAT(store().Set({.key = "a", .value = "2"}), IsOk());
  }
  const Verified accepting = Verify({.accept = true});
  EXPECT_TRUE(accepting.report->accepted);
  EXPECT_TRUE(accepting.report->clean());
  EXPECT_EQ(accepting.report->findings, 1u);
  EXPECT_EQ(accepting.report->mended, 1u);
  EXPECT_EQ(accepting.report->dropped, 0u);
  EXPECT_TRUE(Verify().report->clean());
  Open();
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("2")));
  EXPECT_THAT(store().CheckIntegrity(), IsOk());
}

TEST_F(StoreRepairTest, AcceptingCountsAsACommitAndKeepsTheTime) {
  const uint64_t commits = store().GetStats()->commit_seq;
  const uint64_t opens = store().GetStats()->open_count;
  WriteRecord(PlaceOf("a"), std::nullopt);
  EXPECT_TRUE(Verify({.accept = true}).report->accepted);
  Open();
  EXPECT_EQ(store().GetStats()->commit_seq, commits + 2);
  EXPECT_EQ(store().GetStats()->open_count, opens + 1);
  EXPECT_EQ(store().GetStats()->records, 2u);
}

TEST_F(StoreRepairTest, ACleanStoreIsNotAccepted) {
  const Verified verified = Verify({.accept = true, .drop_damaged = true});
  EXPECT_TRUE(verified.report->clean());
  EXPECT_FALSE(verified.report->accepted);
  Open();
  EXPECT_EQ(store().GetStats()->commit_seq, verified.report->commit_seq + 1);
}

TEST_F(StoreRepairTest, DamagedRecordsAreInTheWayUntilTheyAreDropped) {
  const std::string place = PlaceOf("a");
  const std::string other = PlaceOf("d");
  // One has a term, and one has none.
  std::string record = ReadTable().at(place);
  record[12 + 24 + 3] ^= 1;
  WriteTable(Table::kRecords, {{place, record}, {other, "damaged"}});
  const auto damaged =
      AnyOf(IsFinding(Kind::kDamaged, place), IsFinding(Kind::kDamaged, other),
            IsFinding(Kind::kRecords, ""));

  const Verified refused = Verify({.accept = true});
  EXPECT_THAT(refused.findings, AllOf(::testing::SizeIs(3), Each(damaged)));
  EXPECT_FALSE(refused.report->accepted);
  EXPECT_EQ(ReadTable().at(place), record);

  const Verified accepted = Verify({.accept = true, .drop_damaged = true});
  EXPECT_THAT(accepted.findings, AllOf(::testing::SizeIs(3), Each(damaged)));
  EXPECT_TRUE(accepted.report->accepted);
  EXPECT_EQ(accepted.report->dropped, 2u);
  EXPECT_TRUE(Verify().report->clean());
  Open();
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(IsMissing()));
  EXPECT_THAT(store().Get("d"), IsOkAndHolds(IsMissing()));
  EXPECT_THAT(store().Get("b||c"), IsOkAndHolds(HasValue("1")));
  EXPECT_EQ(store().GetStats()->records, 1u);
  EXPECT_THAT(store().CheckIntegrity(), IsOk());
}

TEST_F(StoreRepairTest, AnAccumulatorThatDoesNotOpenIsMadeAnew) {
  WriteTable(Table::kMeta, {{"acc", "damaged"}});
  ASSERT_THAT(Store::Open(StoreOptions()), HasCode(kDataLoss));
  const Verified accepted = Verify({.accept = true});
  EXPECT_THAT(accepted.findings,
              ElementsAre(IsFinding(Kind::kAccumulator, "")));
  EXPECT_TRUE(accepted.report->accepted);
  EXPECT_TRUE(Verify().report->clean());
  Open();
  EXPECT_EQ(store().GetStats()->records, 3u);
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("1")));
}

}  // namespace
}  // namespace statecpp
