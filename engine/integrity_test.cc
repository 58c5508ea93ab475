// SPDX-License-Identifier: Apache-2.0
//
// Damage inside the file: a key whose record is damaged answers DATA_LOSS,
// never "not found" and never another value, and CheckIntegrity finds it.
#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "crypto/aead.h"
#include "engine/lmdb_environment.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;

class IntegrityTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = path_,
                     .keys = TestKeys(),
                     .cleanup_interval = absl::ZeroDuration(),
                     .clock = &clock_});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  // All records as they stand, key and bytes.
  using Records = std::vector<std::pair<std::string, std::string>>;
  Records ReadRecords() {
    store_.reset();
    const auto environment =
        LmdbEnvironment::Open(path_, uint64_t{64} << 20, nullptr).value();
    Records records;
    EXPECT_THAT(environment->BeginRead()->Scan(
                    LmdbEnvironment::Table::kRecords, "",
                    [&](absl::string_view key, absl::string_view value) {
                      records.emplace_back(key, value);
                      return true;
                    }),
                IsOk());
    return records;
  }
  void WriteRecord(absl::string_view key, absl::string_view value) {
    store_.reset();
    const auto environment =
        LmdbEnvironment::Open(path_, uint64_t{64} << 20, nullptr).value();
    LmdbEnvironment::WriteTransaction txn = environment->BeginWrite().value();
    EXPECT_THAT(txn.Put(LmdbEnvironment::Table::kRecords, key, value), IsOk());
    EXPECT_THAT(txn.Commit(), IsOk());
  }

  // Flips a bit of the largest record, `from_end` bytes before its end.
  void Damage(size_t from_end) {
    const Records records = ReadRecords();
    auto [key, bytes] = *std::max_element(
        records.begin(), records.end(), [](const auto& a, const auto& b) {
          return a.second.size() < b.second.size();
        });
    bytes[bytes.size() - from_end] ^= 1;
    WriteRecord(key, bytes);
    Open();
  }

  MemoryDir dir_;
  const std::string path_ = dir_.Path("store");
  FakeClock clock_;
  std::unique_ptr<Store> store_;
};

// One bit of the value, wherever it stands in the record.
class DamagedValueTest : public IntegrityTest,
                         public ::testing::WithParamInterface<size_t> {
 protected:
  void SetUp() override {
    IntegrityTest::SetUp();
    value_ = std::string(GetParam(), 'v') + "value";
    ASSERT_THAT(store_->Set({.key = "a", .value = value_}), IsOk());
    ASSERT_THAT(store_->Set({.key = "b", .value = "whole"}), IsOk());
    ASSERT_THAT(store_->CheckIntegrity(), IsOk());
    // A short value is the end of the head, which is followed by its tag.
    Damage(value_.size() > 1024 ? 1 : 1 + Aead::kTagSize);
  }

  std::string value_;
};

TEST_P(DamagedValueTest, IsNeverReadAsAnotherValueOrAsMissing) {
  EXPECT_THAT(store_->Get("a"),
              StatusIs(kDataLoss, HasSubstr("not read as missing")));
  EXPECT_THAT(store_->Get("b"), IsOkAndHolds(HasValue("whole")));
  const auto results = store_->BulkGet({"b", "a", "missing"});
  ASSERT_THAT(results, IsOk());
  EXPECT_THAT((*results)[0], IsOkAndHolds(HasValue("whole")));
  EXPECT_THAT((*results)[1], HasCode(kDataLoss));
  EXPECT_THAT((*results)[2], IsOkAndHolds(IsMissing()));
}

TEST_P(DamagedValueTest, IsFoundByCheckIntegrity) {
  EXPECT_THAT(store_->CheckIntegrity(), HasCode(kDataLoss));
}

TEST_P(DamagedValueTest, IsMendedByAWriteThatAsksForNothing) {
  ASSERT_THAT(store_->Set({.key = "a", .value = "new"}), IsOk());
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(HasValue("new")));
  ASSERT_THAT(store_->Delete({.key = "a"}), IsOk());
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(IsMissing()));
}

INSTANTIATE_TEST_SUITE_P(Sizes, DamagedValueTest,
                         ::testing::Values(1, 500, 2000, 50'000));

// A head that does not open cannot decide a precondition, nor a sweep.
TEST_F(IntegrityTest, ADamagedHeadDecidesNothing) {
  const ETag etag =
      store_->Set({.key = "a", .value = "1", .ttl = absl::Seconds(1)}).value();
  Damage(1 + Aead::kTagSize);
  for (const Precondition& precondition :
       {Precondition::Match(etag), Precondition::Absent(),
        Precondition::MatchText("bad-etag")}) {
    EXPECT_THAT(
        store_->Set({.key = "a", .value = "2", .precondition = precondition}),
        HasCode(kDataLoss));
    EXPECT_THAT(store_->Delete({.key = "a", .precondition = precondition}),
                HasCode(kDataLoss));
  }
  clock_.Advance(absl::Minutes(10));
  EXPECT_THAT(store_->Sweep(), IsOkAndHolds(0));
  EXPECT_THAT(store_->Get("a"), HasCode(kDataLoss));
  EXPECT_THAT(store_->CheckIntegrity(), HasCode(kDataLoss));
  EXPECT_THAT(store_->Delete({.key = "a"}), IsOk());
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(IsMissing()));
}

TEST_F(IntegrityTest, ARecordMovedToAnotherPlaceIsNotRead) {
  ASSERT_THAT(store_->Set({.key = "a", .value = "of a"}), IsOk());
  ASSERT_THAT(store_->Set({.key = "b", .value = "of b"}), IsOk());
  const Records records = ReadRecords();
  ASSERT_EQ(records.size(), 2u);
  WriteRecord(records[0].first, records[1].second);
  WriteRecord(records[1].first, records[0].second);
  Open();
  EXPECT_THAT(store_->Get("a"), HasCode(kDataLoss));
  EXPECT_THAT(store_->Get("b"), HasCode(kDataLoss));
  EXPECT_THAT(store_->CheckIntegrity(), HasCode(kDataLoss));
}

TEST_F(IntegrityTest, ARecordOfYesterdayIsFoundByCheckIntegrity) {
  ASSERT_THAT(store_->Set({.key = "a", .value = "yesterday"}), IsOk());
  const Records records = ReadRecords();
  Open();
  ASSERT_THAT(store_->Set({.key = "a", .value = "today"}), IsOk());
  WriteRecord(records[0].first, records[0].second);
  Open();
  // It opens: only the sum of all records tells.
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(HasValue("yesterday")));
  EXPECT_THAT(store_->CheckIntegrity(),
              StatusIs(kDataLoss, HasSubstr("behind the store's back")));
}

}  // namespace
}  // namespace statecpp
