// SPDX-License-Identifier: Apache-2.0
//
// Damage inside the file: a key whose record is damaged answers DATA_LOSS,
// never "not found" and never another value, and a walk over the store names
// it. Of records that were replayed, deleted or brought back a walk finds that
// there are some.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "crypto/aead.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/damaged_store.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = WalkFinding::Kind;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;

class IntegrityTest : public DamagedStoreTest {
 protected:
  // Flips a bit of the largest record, `from_end` bytes before its end.
  void Damage(size_t from_end) {
    const Entries records = ReadTable();
    auto [place, bytes] = *std::max_element(
        records.begin(), records.end(), [](const auto& a, const auto& b) {
          return a.second.size() < b.second.size();
        });
    bytes[bytes.size() - from_end] ^= 1;
    WriteRecord(place, bytes);
    Open();
  }
};

// One bit of the value, wherever it stands in the record.
class DamagedValueTest : public IntegrityTest,
                         public ::testing::WithParamInterface<size_t> {
 protected:
  void SetUp() override {
    IntegrityTest::SetUp();
    value_ = std::string(GetParam(), 'v') + "value";
    ASSERT_THAT(store().Set({.key = "a", .value = value_}), IsOk());
    ASSERT_THAT(store().Set({.key = "b", .value = "whole"}), IsOk());
    ASSERT_THAT(store().CheckIntegrity(), IsOk());
    // A short value is the end of the head, which is followed by its tag.
    Damage(value_.size() > 1024 ? 1 : 1 + Aead::kTagSize);
  }

  std::string value_;
};

TEST_P(DamagedValueTest, IsNeverReadAsAnotherValueOrAsMissing) {
  EXPECT_THAT(store().Get("a"),
              StatusIs(kDataLoss, HasSubstr("not read as missing")));
  EXPECT_THAT(store().Get("b"), IsOkAndHolds(HasValue("whole")));
  const auto results = store().BulkGet({"b", "a", "missing"});
  ASSERT_THAT(results, IsOk());
  EXPECT_THAT((*results)[0], IsOkAndHolds(HasValue("whole")));
  EXPECT_THAT((*results)[1], HasCode(kDataLoss));
  EXPECT_THAT((*results)[2], IsOkAndHolds(IsMissing()));
}

TEST_P(DamagedValueTest, IsFoundByCheckIntegrity) {
  EXPECT_THAT(store().CheckIntegrity(), HasCode(kDataLoss));
}

TEST_P(DamagedValueTest, IsMendedByAWriteThatAsksForNothing) {
  ASSERT_THAT(store().Set({.key = "a", .value = "new"}), IsOk());
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("new")));
  ASSERT_THAT(store().Delete({.key = "a"}), IsOk());
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(IsMissing()));
}

INSTANTIATE_TEST_SUITE_P(Sizes, DamagedValueTest,
                         ::testing::Values(1, 500, 2000, 50'000));

// A head that does not open cannot decide a precondition, nor a sweep.
TEST_F(IntegrityTest, ADamagedHeadDecidesNothing) {
  const ETag etag =
      store().Set({.key = "a", .value = "1", .ttl = absl::Seconds(1)}).value();
  Damage(1 + Aead::kTagSize);
  for (const Precondition& precondition :
       {Precondition::Match(etag), Precondition::Absent(),
        Precondition::MatchText("bad-etag")}) {
    EXPECT_THAT(
        store().Set({.key = "a", .value = "2", .precondition = precondition}),
        HasCode(kDataLoss));
    EXPECT_THAT(store().Delete({.key = "a", .precondition = precondition}),
                HasCode(kDataLoss));
  }
  clock_.Advance(absl::Minutes(10));
  EXPECT_THAT(store().Sweep(), IsOkAndHolds(0));
  EXPECT_THAT(store().Get("a"), HasCode(kDataLoss));
  EXPECT_THAT(store().CheckIntegrity(), HasCode(kDataLoss));
  EXPECT_THAT(store().Delete({.key = "a"}), IsOk());
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(IsMissing()));
}

TEST_F(IntegrityTest, ARecordMovedToAnotherPlaceIsNotRead) {
  ASSERT_THAT(store().Set({.key = "a", .value = "of a"}), IsOk());
  ASSERT_THAT(store().Set({.key = "b", .value = "of b"}), IsOk());
  const Entries records = ReadTable();
  ASSERT_EQ(records.size(), 2u);
  const auto& [first, of_first] = *records.begin();
  const auto& [second, of_second] = *records.rbegin();
  WriteTable(Table::kRecords, {{first, of_second}, {second, of_first}});
  Open();
  EXPECT_THAT(store().Get("a"), HasCode(kDataLoss));
  EXPECT_THAT(store().Get("b"), HasCode(kDataLoss));
  EXPECT_THAT(store().CheckIntegrity(), HasCode(kDataLoss));
  EXPECT_THAT(Verify().findings, ElementsAre(IsFinding(Kind::kDamaged, first),
                                             IsFinding(Kind::kDamaged, second),
                                             IsFinding(Kind::kRecords, "")));
}

// What a copy of one record comes to where it does not belong, too.
TEST_F(IntegrityTest, ARecordCopiedToAnotherPlaceIsNotRead) {
  ASSERT_THAT(store().Set({.key = "a", .value = "of a"}), IsOk());
  const std::string place = PlaceOf("b");
  WriteRecord(place, ReadTable().begin()->second);
  Open();
  EXPECT_THAT(store().Get("b"), HasCode(kDataLoss));
  EXPECT_THAT(Verify().findings,
              ElementsAre(IsFinding(Kind::kDamaged, place),
                          AllOf(IsFinding(Kind::kRecords, ""),
                                Field(&WalkFinding::reason,
                                      HasSubstr("1 too many, of 2")))));
}

TEST_F(IntegrityTest, ARecordOfYesterdayIsReadAndFoundByAWalk) {
  ASSERT_THAT(store().Set({.key = "a", .value = "yesterday"}), IsOk());
  const Entries records = ReadTable();
  Open();
  ASSERT_THAT(store().Set({.key = "a", .value = "today"}), IsOk());
  WriteRecord(records.begin()->first, records.begin()->second);
  Open();
  // It opens: only the sum of all records tells.
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("yesterday")));
  EXPECT_THAT(store().CheckIntegrity(),
              StatusIs(kDataLoss, HasSubstr("behind the store's back")));
  const Verified verified = Verify();
  EXPECT_THAT(verified.findings,
              ElementsAre(AllOf(
                  IsFinding(Kind::kRecords, ""),
                  Field(&WalkFinding::reason,
                        AllOf(HasSubstr("1 as expected, but not the same"),
                              HasSubstr("which ones cannot be known"))))));
  EXPECT_EQ(verified.report->accumulator, WalkReport::Accumulator::kDiffers);
}

TEST_F(IntegrityTest, ARecordThatWasTakenAwayIsMissingAndFoundByAWalk) {
  for (const char* key : {"a", "b", "c"}) {
    ASSERT_THAT(store().Set({.key = key, .value = "1"}), IsOk());
  }
  WriteRecord(PlaceOf("b"), std::nullopt);
  Open();
  EXPECT_THAT(store().Get("b"), IsOkAndHolds(IsMissing()));
  EXPECT_THAT(store().CheckIntegrity(), HasCode(kDataLoss));
  const Verified verified = Verify();
  EXPECT_THAT(verified.findings,
              ElementsAre(AllOf(IsFinding(Kind::kRecords, ""),
                                Field(&WalkFinding::reason,
                                      HasSubstr("1 of 3 are missing")))));
  EXPECT_EQ(verified.report->records, 2u);
  EXPECT_THAT(verified.report->data_keys,
              ElementsAre(AllOf(Field(&WalkReport::DataKey::counted, 2u),
                                Field(&WalkReport::DataKey::kept, 3u))));
}

TEST_F(IntegrityTest, ADeletedRecordThatCameBackIsReadAndFoundByAWalk) {
  ASSERT_THAT(store().Set({.key = "a", .value = "1"}), IsOk());
  ASSERT_THAT(store().Set({.key = "b", .value = "deleted"}), IsOk());
  const std::string place = PlaceOf("b");
  const std::string record = ReadTable().at(place);
  Open();
  ASSERT_THAT(store().Delete({.key = "b"}), IsOk());
  EXPECT_THAT(Verify().findings, IsEmpty());
  WriteRecord(place, record);
  Open();
  EXPECT_THAT(store().Get("b"), IsOkAndHolds(HasValue("deleted")));
  EXPECT_THAT(store().CheckIntegrity(), HasCode(kDataLoss));
  EXPECT_THAT(Verify().findings,
              ElementsAre(AllOf(
                  IsFinding(Kind::kRecords, ""),
                  Field(&WalkFinding::reason, HasSubstr("1 too many, of 2")))));
}

// As many records of one size as one has bytes, each to be damaged at another
// one; and "whole", which is not.
class EveryByteTest : public IntegrityTest,
                      public ::testing::WithParamInterface<size_t> {
 protected:
  static std::string KeyOf(size_t i) { return absl::StrFormat("%05d", i); }

  void SetUp() override {
    IntegrityTest::SetUp();
    ASSERT_THAT(store().Set({.key = "whole", .value = "1"}), IsOk());
    ASSERT_THAT(store().Set({.key = KeyOf(0), .value = value_}), IsOk());
    const std::string place = PlaceOf(KeyOf(0));
    size_ = ReadTable().at(place).size();
    Open();
    std::vector<WriteOp> ops(size_ + 1);
    for (size_t i = 0; i <= size_; ++i) {
      ops[i].key = KeyOf(i);
      ops[i].value = value_;
    }
    for (const Store::WriteResult& etag : store().BulkWrite(std::move(ops))) {
      ASSERT_THAT(etag, IsOk());
      etags_.push_back(*etag);
    }
    ASSERT_THAT(store().CheckIntegrity(), IsOk());
    const std::shared_ptr<const Keyring> keyring = ReadKeyring();
    for (size_t i = 0; i <= size_; ++i) {
      places_.push_back(RecordKey(keyring->paths(), KeyOf(i)));
    }
  }

  // Replaces the records by those that `damage` makes of each, up to `end`.
  void DamageEach(
      size_t end,
      const std::function<std::string(std::string, size_t)>& damage) {
    const Entries records = ReadTable();
    std::map<std::string, std::optional<std::string>> damaged;
    for (size_t i = 0; i < end; ++i) {
      ASSERT_EQ(records.at(places_[i]).size(), size_);
      damaged[places_[i]] = damage(records.at(places_[i]), i);
    }
    WriteTable(Table::kRecords, damaged);
    Open();
  }

  // Each of the keys below `end` is damaged and says so, all others are not.
  void ExpectDamaged(
      size_t end, const std::function<bool(size_t)>& head_opens = [](size_t) {
        return false;
      }) {
    EXPECT_THAT(store().Get("whole"), IsOkAndHolds(HasValue("1")));
    for (size_t i = 0; i <= size_; ++i) {
      const std::string key = KeyOf(i);
      if (i >= end) {
        EXPECT_THAT(store().Get(key), IsOkAndHolds(HasValue(value_))) << i;
        continue;
      }
      EXPECT_THAT(store().Get(key),
                  StatusIs(kDataLoss, HasSubstr("not read as missing")))
          << i;
      if (head_opens(i)) {
        // A precondition is judged by the head, which says whose value it was.
        EXPECT_THAT(store().Set({.key = key,
                                 .value = "2",
                                 .precondition = Precondition::Absent()}),
                    HasCode(absl::StatusCode::kFailedPrecondition))
            << i;
        continue;
      }
      for (const Precondition& precondition :
           {Precondition::Match(etags_[i]), Precondition::Absent()}) {
        EXPECT_THAT(
            store().Set(
                {.key = key, .value = "2", .precondition = precondition}),
            HasCode(kDataLoss))
            << i;
      }
    }
    ExpectNamed(end);
  }

  // A walk names each of them, and no other.
  void ExpectNamed(size_t end) {
    const Verified verified = Verify();
    std::vector<std::string> named;
    for (const WalkFinding& finding : verified.findings) {
      if (finding.kind == Kind::kDamaged) named.push_back(finding.place);
      EXPECT_THAT(finding.kind, AnyOf(Kind::kDamaged, Kind::kRecords));
    }
    std::vector<std::string> damaged(places_.begin(), places_.begin() + end);
    std::sort(damaged.begin(), damaged.end());
    EXPECT_EQ(named, damaged);
    EXPECT_EQ(verified.report->damaged, end);
    EXPECT_EQ(verified.report->records, size_ + 2);
    EXPECT_TRUE(verified.report->complete);
    Open();
  }

  // A write that asks for nothing mends each.
  void ExpectMendable(size_t end) {
    for (size_t i = 0; i < end; ++i) {
      const std::string key = KeyOf(i);
      if (i % 2 == 0) {
        ASSERT_THAT(store().Set({.key = key, .value = "new"}), IsOk()) << i;
        EXPECT_THAT(store().Get(key), IsOkAndHolds(HasValue("new"))) << i;
      } else {
        ASSERT_THAT(store().Delete({.key = key}), IsOk()) << i;
        EXPECT_THAT(store().Get(key), IsOkAndHolds(IsMissing())) << i;
      }
    }
    // The sum cannot know what the damaged ones were. It stays so until its
    // owner accepts it.
    EXPECT_THAT(store().CheckIntegrity(), HasCode(kDataLoss));
    EXPECT_THAT(Verify().findings, ElementsAre(IsFinding(Kind::kRecords, "")));
    const Verified accepting = Verify({.accept = true});
    EXPECT_TRUE(accepting.report->accepted);
    EXPECT_THAT(Verify().findings, IsEmpty());
    Open();
    EXPECT_THAT(store().CheckIntegrity(), IsOk());
  }

  const std::string value_ = std::string(GetParam(), 'v');
  size_t size_ = 0;
  std::vector<ETag> etags_;
  std::vector<std::string> places_;
};

TEST_P(EveryByteTest, AFlippedByteDamagesThatKeyAlone) {
  DamageEach(size_, [](std::string record, size_t i) {
    record[i] ^= 1;
    return record;
  });
  const size_t body = value_.size() > 1024 ? size_ - value_.size() : size_;
  ExpectDamaged(size_, [body](size_t i) { return i >= body; });
  ExpectMendable(size_);
}

TEST_P(EveryByteTest, ARecordCutAtAnyByteDamagesThatKeyAlone) {
  DamageEach(size_,
             [](std::string record, size_t i) { return record.substr(0, i); });
  ExpectDamaged(size_);
  ExpectMendable(size_);
}

TEST_P(EveryByteTest, AByteMoreDamagesThatKeyAlone) {
  DamageEach(1, [](std::string record, size_t) { return record + '\0'; });
  ExpectDamaged(1);
}

// The second one's value has a body of its own.
INSTANTIATE_TEST_SUITE_P(Sizes, EveryByteTest, ::testing::Values(10, 1100));

}  // namespace
}  // namespace statecpp
