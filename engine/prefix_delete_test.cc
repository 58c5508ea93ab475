// SPDX-License-Identifier: Apache-2.0
//
// A prefix delete whose children change between the look at them and their
// removal. What it removes at rest is in store_listing_test.cc.
#include "engine/prefix_delete.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/errors.h"
#include "engine/keys.h"
#include "engine/trusted_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/storage_for_test.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A storage in front of which something happens before each group.
class InterruptedStorage final : public Storage {
 public:
  explicit InterruptedStorage(Storage& inner) : inner_(inner) {}

  absl::StatusOr<std::unique_ptr<Snapshot>> Read() const override {
    return inner_.Read();
  }
  absl::StatusOr<std::vector<Verdict>> Commit(
      absl::Span<const Batch* const> group, int64_t confirmed_ms) override {
    if (before_ != nullptr) {
      const absl::Status status = before_();
      if (!status.ok()) return status;
    }
    return inner_.Commit(group, confirmed_ms);
  }

  // Called on the commit thread; an error fails the group.
  void Before(std::function<absl::Status()> before) {
    before_ = std::move(before);
  }

 private:
  Storage& inner_;
  std::function<absl::Status()> before_;
};

class PrefixDeleteTest : public ::testing::Test {
 protected:
  std::string PlaceOf(const std::string& key) {
    return RecordKey(storage_->keyring().Get()->paths(), key);
  }
  Batch Put(const std::string& key, uint64_t version, int64_t expires_ms = 0) {
    const std::string place = PlaceOf(key);
    return {
        {.space = Space::kRecords,
         .key = place,
         .verb = Change::Verb::kPut,
         .value = SealRecord(*storage_->keyring().Get(), SystemRandom(), place,
                             {.version = version,
                              .expires_ms = expires_ms,
                              .key = key,
                              .content_type = "",
                              .value = "value"})}};
  }
  void Write(const std::vector<Batch>& batches) {
    EXPECT_THAT(storage_.Commit(batches), IsOk());
  }
  bool IsThere(const std::string& key) {
    return storage_.Read(PlaceOf(key))->has_value();
  }

  absl::StatusOr<int64_t> Delete(absl::string_view prefix) {
    return DeleteChildren(
        [this]() -> absl::StatusOr<KeyedSnapshot> {
          ++looks_;
          return storage_->keyring().Read(*storage_);
        },
        storage_->keyring(), queue_, clock_.Now(), prefix);
  }

  // Does `change` once, right before the first commit.
  void Meanwhile(std::function<void()> change) {
    interrupted_.Before([this, change = std::move(change)] {
      if (!std::exchange(done_, true)) change();
      return absl::OkStatus();
    });
  }

  FakeClock clock_;
  StorageForTest storage_;
  InterruptedStorage interrupted_{*storage_};
  TrustedTime time_{clock_, clock_.Now()};
  bool done_ = false;
  int looks_ = 0;
  CommitQueue queue_{interrupted_, time_, {}, nullptr};
};

TEST_F(PrefixDeleteTest, ASetBetweenTheLookAndTheRemovalSurvives) {
  Write({Put("a||1", 1), Put("a||2", 1), Put("a||3", 1)});
  Meanwhile([this] { Write({Put("a||2", 2)}); });
  EXPECT_THAT(Delete("a"), IsOkAndHolds(2));
  EXPECT_FALSE(IsThere("a||1"));
  EXPECT_TRUE(IsThere("a||2"));
  EXPECT_FALSE(IsThere("a||3"));
  EXPECT_TRUE(storage_.IsWhole());
}

TEST_F(PrefixDeleteTest, ASetOfWhatHadExpiredSurvives) {
  Write({Put("a||1", 1, /*expires_ms=*/1)});
  Meanwhile([this] { Write({Put("a||1", 2)}); });
  EXPECT_THAT(Delete("a"), IsOkAndHolds(0));
  EXPECT_TRUE(IsThere("a||1"));
}

TEST_F(PrefixDeleteTest, WhatIsMerelySealedAnewIsRemovedAllTheSame) {
  Write({Put("a||1", 1), Put("a||2", 1)});
  Meanwhile([this] { Write({Put("a||2", 1)}); });
  EXPECT_THAT(Delete("a"), IsOkAndHolds(2));
  EXPECT_FALSE(IsThere("a||1"));
  EXPECT_FALSE(IsThere("a||2"));
}

TEST_F(PrefixDeleteTest, WhatSomeoneElseRemovedIsNotCounted) {
  Write({Put("a||1", 1), Put("a||2", 1)});
  Meanwhile([this] {
    Write({{{.space = Space::kRecords,
             .key = PlaceOf("a||2"),
             .verb = Change::Verb::kDelete}}});
  });
  EXPECT_THAT(Delete("a"), IsOkAndHolds(1));
  EXPECT_TRUE(storage_.IsWhole());
}

TEST_F(PrefixDeleteTest, WhatIsDamagedMeanwhileIsReported) {
  Write({Put("a||1", 1), Put("a||2", 1)});
  Meanwhile([this] {
    Batch damaged = Put("a||2", 1);
    damaged[0].value.back() ^= 1;
    Write({std::move(damaged)});
  });
  EXPECT_THAT(Delete("a"),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("1 damaged records below \"a||\""),
                             HasSubstr("the 1 items that could be read"))));
  EXPECT_FALSE(IsThere("a||1"));
}

// Of one snapshot no more than a few hundred are removed.
TEST_F(PrefixDeleteTest, LooksAnewForEachFewHundred) {
  std::vector<Batch> batches;
  for (int i = 0; i < 1000; ++i)
    batches.push_back(Put(absl::StrCat("a||", i), 1));
  Write(batches);
  EXPECT_THAT(Delete("a"), IsOkAndHolds(1000));
  EXPECT_GE(looks_, 4);
  EXPECT_EQ(storage_->accumulator().records(), 0u);
  EXPECT_TRUE(storage_.IsWhole());
}

TEST_F(PrefixDeleteTest, ACallThatFailsSaysHowFarItCame) {
  std::vector<Batch> batches;
  for (int i = 0; i < 600; ++i)
    batches.push_back(Put(absl::StrCat("a||", i), 1));
  Write(batches);
  // The disk fills up when the first few hundred are gone.
  interrupted_.Before([this] {
    return storage_->accumulator().records() < 500 ? error::StoreFull(1, 1)
                                                   : absl::OkStatus();
  });
  const absl::StatusOr<int64_t> deleted = Delete("a");
  const uint64_t left = storage_->accumulator().records();
  EXPECT_GT(left, 0u);
  EXPECT_THAT(
      deleted,
      StatusIs(absl::StatusCode::kResourceExhausted,
               AllOf(HasSubstr(absl::StrCat(
                         600 - left, " items below \"a||\" were deleted")),
                     HasSubstr("the store is full"),
                     ::testing::Not(HasSubstr("nothing was written")))));
  EXPECT_EQ(error::HttpCode(deleted.status()), 507);
  interrupted_.Before(nullptr);
  EXPECT_THAT(Delete("a"), IsOkAndHolds(static_cast<int64_t>(left)));
}

TEST_F(PrefixDeleteTest, NothingIsRemovedOnceASyncHasFailed) {
  Write({Put("a||1", 1)});
  interrupted_.Before([] { return error::CommitOutcomeUnknown("EIO"); });
  EXPECT_THAT(Delete("a"), HasCode(absl::StatusCode::kUnknown));
  EXPECT_THAT(Delete("a"), HasCode(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(IsThere("a||1"));
}

}  // namespace
}  // namespace statecpp
