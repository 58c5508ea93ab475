// SPDX-License-Identifier: Apache-2.0
//
// A walk over many records holds no snapshot for long, and yet meets each.
#include "engine/record_scan.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/storage_for_test.h"

namespace statecpp {
namespace {

using ::testing::ElementsAre;

// Of RecordScan.
constexpr int kSliceRecords = 4096;

// A snapshot that is counted while it lives.
class CountedSnapshot final : public Snapshot {
 public:
  CountedSnapshot(std::unique_ptr<Snapshot> inner, int& open)
      : inner_(std::move(inner)), open_(open) {
    ++open_;
  }
  ~CountedSnapshot() override { --open_; }

  absl::StatusOr<std::optional<absl::string_view>> Get(
      Space space, absl::string_view key) const override {
    return inner_->Get(space, key);
  }
  absl::Status Scan(
      Space space, absl::string_view from,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>
          visit) const override {
    return inner_->Scan(space, from, visit);
  }

 private:
  const std::unique_ptr<Snapshot> inner_;
  int& open_;
};

class RecordScanTest : public ::testing::Test {
 protected:
  void Write(const std::vector<std::string>& places) {
    std::vector<Batch> group;
    for (const std::string& place : places) {
      group.push_back({storage_.Put(place, "value")});
    }
    EXPECT_THAT(storage_.Commit(group), IsOk());
  }
  void Remove(std::string place) {
    EXPECT_THAT(storage_.Commit({{storage_.Delete(std::move(place))}}), IsOk());
  }

  RecordScan::Look Look() {
    return [this]() -> absl::StatusOr<KeyedSnapshot> {
      ++looks_;
      EXPECT_EQ(open_, 0) << "one snapshot at a time";
      return KeyedSnapshot{
          std::make_unique<CountedSnapshot>(*storage_->Read(), open_),
          storage_->keyring().Get()};
    };
  }

  // All that is left, by place; how often each was met.
  std::map<std::string, int> Walk(RecordScan scan) {
    std::map<std::string, int> met;
    while (!scan.done()) {
      int in_slice = 0;
      EXPECT_THAT(scan.NextSlice([&](const RecordScan::Entry& entry) {
        EXPECT_THAT(entry.reader, IsOk());
        ++met[std::string(entry.record_key)];
        EXPECT_LE(++in_slice, kSliceRecords);
        return true;
      }),
                  IsOk());
      EXPECT_EQ(open_, 0) << "a snapshot outlived its slice";
    }
    return met;
  }

  StorageForTest storage_;
  int open_ = 0;
  int looks_ = 0;
};

TEST_F(RecordScanTest, MeetsEachRecordOnceInSlicesOfBoundedSize) {
  constexpr int kRecords = 10'000;
  std::vector<std::string> places;
  for (int i = 0; i < kRecords; ++i) {
    places.push_back(absl::StrFormat("%05d", i));
  }
  Write(places);
  const std::map<std::string, int> met = Walk(RecordScan(Look(), ""));
  EXPECT_EQ(met.size(), size_t{kRecords});
  for (const auto& [place, times] : met) EXPECT_EQ(times, 1) << place;
  EXPECT_GE(looks_, 3);
}

TEST_F(RecordScanTest, StaysInItsRange) {
  Write({"a", "b", "ba", "b\xFF", "bb", "c"});
  std::vector<std::string> met;
  for (const auto& [place, times] : Walk(RecordScan(Look(), "b"))) {
    met.push_back(place);
  }
  EXPECT_THAT(met, ElementsAre("b", "ba", "bb", "b\xFF"));
  EXPECT_TRUE(Walk(RecordScan(Look(), "d")).empty());
  EXPECT_EQ(Walk(RecordScan(Look(), "")).size(), 6u);
}

TEST_F(RecordScanTest, BeginsBehindARecordThatNeedNotBeThere) {
  Write({"a", "aa", "b1", "b3", "c"});
  EXPECT_EQ(Walk(RecordScan(Look(), "b", "b1")).size(), 1u);
  EXPECT_EQ(Walk(RecordScan(Look(), "b", "b2")).size(), 1u);
  EXPECT_EQ(Walk(RecordScan(Look(), "b", "b3")).size(), 0u);
  // Elsewhere than in the range.
  EXPECT_EQ(Walk(RecordScan(Look(), "b", "a")).size(), 2u);
  EXPECT_EQ(Walk(RecordScan(Look(), "b", "c")).size(), 0u);
}

TEST_F(RecordScanTest, ASliceEndsWhereItsVisitorSays) {
  Write({"a", "b", "c"});
  RecordScan scan(Look(), "");
  std::vector<std::string> met;
  const auto visit = [&](const RecordScan::Entry& entry) {
    met.emplace_back(entry.record_key);
    return false;
  };
  EXPECT_THAT(scan.NextSlice(visit), IsOk());
  EXPECT_THAT(met, ElementsAre("a"));
  // What changes between slices is seen.
  Remove("b");
  EXPECT_THAT(scan.NextSlice(visit), IsOk());
  EXPECT_THAT(met, ElementsAre("a", "c"));
  EXPECT_FALSE(scan.done());
  Write({"d"});
  EXPECT_THAT(scan.NextSlice(visit), IsOk());
  EXPECT_THAT(met, ElementsAre("a", "c", "d"));
  EXPECT_THAT(scan.NextSlice(visit), IsOk());
  EXPECT_THAT(met, ElementsAre("a", "c", "d"));
  EXPECT_TRUE(scan.done());
}

TEST_F(RecordScanTest, FailsWhereThereIsNothingToLookAt) {
  RecordScan scan([] { return absl::UnavailableError("closed"); }, "");
  EXPECT_THAT(scan.NextSlice([](const auto&) { return true; }),
              HasCode(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(scan.done());
}

}  // namespace
}  // namespace statecpp
