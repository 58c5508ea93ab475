// SPDX-License-Identifier: Apache-2.0
//
// Damage inside the file: a key whose record is damaged answers DATA_LOSS,
// never "not found" and never another value, and CheckIntegrity finds it.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
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

  // Replaces `from`, wherever it stands in the closed store's file. Records of
  // a plain store stand there as they are.
  void Patch(absl::string_view from, absl::string_view to) {
    ASSERT_EQ(from.size(), to.size());
    store_.reset();
    std::ifstream in(path_ + "/data.mdb", std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(in), {});
    in.close();
    int found = 0;
    for (size_t at = 0;
         (at = bytes.find(from.data(), at, from.size())) != std::string::npos;
         at += to.size()) {
      bytes.replace(at, to.size(), to.data(), to.size());
      ++found;
    }
    ASSERT_GT(found, 0);
    std::ofstream(path_ + "/data.mdb", std::ios::binary) << bytes;
    Open();
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

  MemoryDir dir_;
  const std::string path_ = dir_.Path("store");
  FakeClock clock_;
  std::unique_ptr<Store> store_;
};

// One bit of the value, in a record whose head is whole.
class DamagedValueTest : public IntegrityTest,
                         public ::testing::WithParamInterface<size_t> {
 protected:
  void SetUp() override {
    IntegrityTest::SetUp();
    value_ = std::string(GetParam(), 'v') + "needle";
    ASSERT_THAT(store_->Set({.key = "a", .value = value_}), IsOk());
    ASSERT_THAT(store_->Set({.key = "b", .value = "whole"}), IsOk());
    ASSERT_THAT(store_->CheckIntegrity(), IsOk());
    Patch("needle", "noodle");
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
                         ::testing::Values(0, 500, 2000, 50'000));

// A head that does not open cannot decide a precondition, nor a sweep.
TEST_F(IntegrityTest, ADamagedHeadDecidesNothing) {
  const ETag etag =
      store_->Set({.key = "needle", .value = "1", .ttl = absl::Seconds(1)})
          .value();
  Patch("needle", "noodle");
  for (const Precondition& precondition :
       {Precondition::Match(etag), Precondition::Absent(),
        Precondition::MatchText("bad-etag")}) {
    EXPECT_THAT(
        store_->Set(
            {.key = "needle", .value = "2", .precondition = precondition}),
        HasCode(kDataLoss));
    EXPECT_THAT(store_->Delete({.key = "needle", .precondition = precondition}),
                HasCode(kDataLoss));
  }
  clock_.Advance(absl::Minutes(10));
  EXPECT_THAT(store_->Sweep(), IsOkAndHolds(0));
  EXPECT_THAT(store_->Get("needle"), HasCode(kDataLoss));
  EXPECT_THAT(store_->CheckIntegrity(), HasCode(kDataLoss));
  EXPECT_THAT(store_->Delete({.key = "needle"}), IsOk());
  EXPECT_THAT(store_->Get("needle"), IsOkAndHolds(IsMissing()));
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
