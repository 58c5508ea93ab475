// SPDX-License-Identifier: Apache-2.0
//
// Several items at a time: bulks, whose items stand for themselves, and
// transactions, which hold whole.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/subject.h"

namespace statecpp {
namespace {

using Kind = Operation::Kind;
using Concurrency = Operation::Concurrency;
using ::testing::ElementsAre;

class BatchCases : public ::testing::Test {
 protected:
  std::string Set(const std::string& key, const std::string& value) {
    EXPECT_EQ(subject_->Write({.key = key, .value = value}), Verdict::kDone);
    return subject_->Get(key).value().etag;
  }
  // "(none)" for those that are not there.
  std::vector<std::string> ValuesOf(const std::vector<std::string>& keys) {
    std::vector<std::string> values;
    for (const std::string& key : keys) {
      const std::optional<Reading> reading = subject_->Get(key);
      values.push_back(reading.has_value() ? reading->value : "(none)");
    }
    return values;
  }

  const std::unique_ptr<Subject> subject_ = NewSubject();
};

TEST_F(BatchCases, ABulkReadAnswersEachKeyInItsPlace) {
  Set("a", "1");
  Set("b", "");
  const Readings readings =
      subject_->BulkGet({"b", "missing", "a", "a", "missing"});
  ASSERT_EQ(readings.size(), 5u);
  EXPECT_EQ(readings[0], subject_->Get("b"));
  EXPECT_EQ(readings[1], std::nullopt);
  EXPECT_EQ(readings[2], subject_->Get("a"));
  EXPECT_EQ(readings[3], readings[2]);
  EXPECT_EQ(readings[4], std::nullopt);
  EXPECT_EQ(subject_->BulkGet({}).size(), 0u);
}

TEST_F(BatchCases, ABulkWritesAllItems) {
  EXPECT_EQ(subject_->Bulk({{.key = "a", .value = "1"},
                            {.key = "b", .value = "2"},
                            {.key = "c", .value = "3"}}),
            Verdict::kDone);
  EXPECT_THAT(ValuesOf({"a", "b", "c"}), ElementsAre("1", "2", "3"));
  EXPECT_EQ(subject_->Bulk({{.kind = Kind::kDelete, .key = "a"},
                            {.kind = Kind::kDelete, .key = "never"},
                            {.kind = Kind::kDelete, .key = "c"}}),
            Verdict::kDone);
  EXPECT_THAT(ValuesOf({"a", "b", "c"}), ElementsAre("(none)", "2", "(none)"));
}

TEST_F(BatchCases, OfItemsOfOneKeyInABulkTheLastOneStays) {
  EXPECT_EQ(subject_->Bulk({{.key = "a", .value = "1"},
                            {.key = "b", .value = "2"},
                            {.key = "a", .value = "3"}}),
            Verdict::kDone);
  EXPECT_THAT(ValuesOf({"a", "b"}), ElementsAre("3", "2"));
}

TEST_F(BatchCases, AnItemOfABulkThatFailsLeavesTheOthers) {
  const std::string etag = Set("a", "old");
  const std::string untouched = Set("b", "old");
  EXPECT_EQ(subject_->Bulk({{.key = "b", .value = "new", .etag = "bad-etag"},
                            {.key = "a", .value = "new", .etag = etag},
                            {.key = "c", .value = "new"}}),
            Verdict::kMismatch);
  EXPECT_THAT(ValuesOf({"a", "b", "c"}), ElementsAre("new", "old", "new"));
  EXPECT_EQ(subject_->Get("b").value().etag, untouched);

  EXPECT_EQ(subject_->Bulk({{.kind = Kind::kDelete, .key = "a", .etag = etag},
                            {.kind = Kind::kDelete, .key = "c"}}),
            Verdict::kMismatch);
  EXPECT_THAT(ValuesOf({"a", "c"}), ElementsAre("new", "(none)"));
}

TEST_F(BatchCases, ABatchOfNothingSucceeds) {
  EXPECT_EQ(subject_->Bulk({}), Verdict::kDone);
  EXPECT_EQ(subject_->Transact({}), Verdict::kDone);
}

TEST_F(BatchCases, ATransactionIsCarriedOutInItsOrder) {
  Set("a", "old");
  EXPECT_EQ(subject_->Transact({{.kind = Kind::kDelete, .key = "a"},
                                {.key = "b", .value = "1"},
                                {.kind = Kind::kDelete, .key = "b"},
                                {.key = "c", .value = "1"},
                                {.key = "c", .value = "2"},
                                {.kind = Kind::kDelete, .key = "d"},
                                {.key = "d", .value = "3"}}),
            Verdict::kDone);
  EXPECT_THAT(ValuesOf({"a", "b", "c", "d"}),
              ElementsAre("(none)", "(none)", "2", "3"));
}

TEST_F(BatchCases, OfSetsOfOneKeyInATransactionTheLastTimeToLiveStays) {
  EXPECT_EQ(subject_->Transact({{.key = "a", .value = "1", .ttl = 2},
                                {.key = "b", .value = "1"},
                                {.key = "a", .value = "2", .ttl = 60},
                                {.key = "b", .value = "2", .ttl = 2}}),
            Verdict::kDone);
  subject_->AwaitExpiry();
  EXPECT_THAT(ValuesOf({"a", "b"}), ElementsAre("2", "(none)"));
}

TEST_F(BatchCases, ATransactionSeesWhatItsEarlierOperationsLeft) {
  const std::string etag = Set("a", "old");
  const Operation first = {
      .key = "a", .value = "first", .concurrency = Concurrency::kFirstWrite};
  // The item is gone by then.
  EXPECT_EQ(subject_->Transact(
                {{.kind = Kind::kDelete, .key = "a", .etag = etag}, first}),
            Verdict::kDone);
  EXPECT_THAT(ValuesOf({"a"}), ElementsAre("first"));
  // It is there by then.
  EXPECT_EQ(subject_->Transact({{.key = "a", .value = "again"}, first}),
            Verdict::kMismatch);
  // It is another version by then, whatever it was before.
  const std::string last = subject_->Get("a").value().etag;
  EXPECT_EQ(subject_->Transact({{.key = "a", .value = "2", .etag = last},
                                {.key = "a", .value = "3", .etag = last}}),
            Verdict::kMismatch);
  EXPECT_THAT(ValuesOf({"a"}), ElementsAre("first"));
}

TEST_F(BatchCases, ATransactionThatFailsAnywhereWritesNothing) {
  const std::string etag = Set("b", "old");
  Set("c", "old");
  for (size_t failing = 0; failing < 4; ++failing) {
    std::vector<Operation> operations = {{.key = "a", .value = "new"},
                                         {.key = "b", .value = "new"},
                                         {.kind = Kind::kDelete, .key = "c"},
                                         {.key = "d", .value = "new"}};
    operations[failing].etag = "bad-etag";
    EXPECT_EQ(subject_->Transact(operations), Verdict::kMismatch);
    EXPECT_THAT(ValuesOf({"a", "b", "c", "d"}),
                ElementsAre("(none)", "old", "old", "(none)"));
    EXPECT_EQ(subject_->Get("b").value().etag, etag);
  }
}

TEST_F(BatchCases, AThousandOperationsAreOneTransaction) {
  constexpr int kCount = 1000;
  std::vector<Operation> operations;
  std::vector<std::string> keys;
  for (int i = 0; i < kCount; ++i) {
    keys.push_back(absl::StrCat("key", i));
    operations.push_back({.key = keys.back(), .value = absl::StrCat(i)});
  }
  operations.push_back({.key = "last", .value = "1", .etag = "bad-etag"});
  EXPECT_EQ(subject_->Transact(operations), Verdict::kMismatch);
  for (const auto& reading : subject_->BulkGet(keys)) {
    ASSERT_EQ(reading, std::nullopt);
  }
  operations.pop_back();
  EXPECT_EQ(subject_->Transact(operations), Verdict::kDone);
  const Readings readings = subject_->BulkGet(keys);
  for (int i = 0; i < kCount; ++i) {
    ASSERT_EQ(readings[i].value().value, absl::StrCat(i));
  }
}

}  // namespace
}  // namespace statecpp
