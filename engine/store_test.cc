// SPDX-License-Identifier: Apache-2.0
//
// What a caller of Store may rely on. Every test opens a real LMDB environment
// in a folder of its own; only the clock is faked.
#include "engine/store.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;

constexpr absl::StatusCode kMismatch = absl::StatusCode::kFailedPrecondition;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  Options OptionsForTest() {
    return {.path = dir_.Path("store"),
            .keys = TestKeys(),
            .cleanup_interval = absl::ZeroDuration(),
            .clock = &clock_};
  }

  void Reopen() {
    store_.reset();
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open(OptionsForTest());
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  Store& store() { return *store_; }

  ETag MustSet(WriteOp op) {
    const absl::StatusOr<ETag> etag = store().Set(std::move(op));
    EXPECT_THAT(etag, IsOk());
    return etag.value_or(ETag(0));
  }

  TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, GetReturnsWhatSetWrote) {
  const ETag etag =
      MustSet({.key = "a", .value = "1", .content_type = "application/json"});
  const absl::StatusOr<std::optional<Item>> item = store().Get("a");
  ASSERT_THAT(item, IsOkAndHolds(HasValue("1")));
  EXPECT_EQ((*item)->etag, etag);
  EXPECT_EQ((*item)->content_type, "application/json");
  EXPECT_EQ((*item)->expires, std::nullopt);
}

TEST_F(StoreTest, AMissingKeyIsNoError) {
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(IsMissing()));
  EXPECT_THAT(store().Delete({.key = "a"}), IsOk());
}

TEST_F(StoreTest, AnEmptyValueIsAValue) {
  MustSet({.key = "a", .value = ""});
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("")));
}

TEST_F(StoreTest, AnEmptyKeyIsRefused) {
  EXPECT_THAT(store().Set({.key = ""}),
              HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(store().Get(""), HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(store().Delete({.key = ""}),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(StoreTest, KeysAndValuesOfManySizesRoundTrip) {
  for (const size_t size : {1, 510, 511, 512, 1023, 1024, 1025, 4096, 65536}) {
    const std::string key(size, 'k');
    for (const size_t value_size :
         {size_t{0}, size_t{1}, size, size_t{1} << 20}) {
      const std::string value(value_size, '\0');
      MustSet({.key = key, .value = value});
      EXPECT_THAT(store().Get(key), IsOkAndHolds(HasValue(value)));
    }
  }
  EXPECT_THAT(store().Set({.key = std::string(65537, 'k')}),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(StoreTest, KeysWithSeparatorsAndZerosAreDistinct) {
  const std::vector<std::string> keys = {"a",
                                         "a||",
                                         "a||b",
                                         "a|||b",
                                         "||",
                                         "||||",
                                         "a||b||",
                                         std::string("\0", 1),
                                         "a||b||c",
                                         "A||b||c",
                                         std::string("a\0b", 3),
                                         "1||2||3||4||5||6||7||8||9||10",
                                         "1||2||3||4||5||6||7||8||9||11"};
  for (const std::string& key : keys) MustSet({.key = key, .value = key});
  for (const std::string& key : keys) {
    EXPECT_THAT(store().Get(key), IsOkAndHolds(HasValue(key)));
  }
}

TEST_F(StoreTest, EveryWriteChangesTheETagAlsoOfEqualBytes) {
  const ETag first = MustSet({.key = "a", .value = "1"});
  const ETag second = MustSet({.key = "a", .value = "1"});
  EXPECT_NE(first, second);
}

TEST_F(StoreTest, SetWithAStaleETagFailsAndKeepsTheItem) {
  const ETag first = MustSet({.key = "a", .value = "1"});
  const ETag second = MustSet({.key = "a", .value = "2"});
  EXPECT_THAT(
      store().Set({.key = "a",
                   .value = "3",
                   .precondition = Precondition::Match(first)}),
      StatusIs(kMismatch, testing::AllOf(HasSubstr(first.ToString()),
                                         HasSubstr(second.ToString()),
                                         HasSubstr("nothing was written"))));
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("2")));
  EXPECT_THAT(store().Set({.key = "a",
                           .value = "3",
                           .precondition = Precondition::Match(second)}),
              IsOk());
}

TEST_F(StoreTest, AnETagDoesNotComeBackAfterDeleteAndCreate) {
  const ETag first = MustSet({.key = "a", .value = "1"});
  ASSERT_THAT(store().Delete({.key = "a"}), IsOk());
  MustSet({.key = "a", .value = "1"});
  EXPECT_THAT(
      store().Delete({.key = "a", .precondition = Precondition::Match(first)}),
      HasCode(kMismatch));
}

TEST_F(StoreTest, AnETagOfAMissingKeyIsAMismatch) {
  EXPECT_THAT(
      store().Set({.key = "a", .precondition = Precondition::Match(ETag(1))}),
      StatusIs(kMismatch, HasSubstr("found no item")));
  EXPECT_THAT(store().Delete(
                  {.key = "a", .precondition = Precondition::Match(ETag(1))}),
              HasCode(kMismatch));
}

TEST_F(StoreTest, TextThatIsNoETagIsAMismatchThatSaysSo) {
  const ETag found = MustSet({.key = "a"});
  for (const char* text : {"bad-etag", "1", "", "0123456789abcdeF"}) {
    EXPECT_THAT(
        store().Set(
            {.key = "a", .precondition = Precondition::MatchText(text)}),
        StatusIs(kMismatch,
                 testing::AllOf(HasSubstr("16 hexadecimal digits"),
                                HasSubstr("found " + found.ToString()))));
  }
}

TEST_F(StoreTest, FirstWriteOnlyCreates) {
  const WriteOp op = {
      .key = "a", .value = "1", .precondition = Precondition::Absent()};
  EXPECT_THAT(store().Set(op), IsOk());
  EXPECT_THAT(store().Set(op), HasCode(kMismatch));
  ASSERT_THAT(store().Delete({.key = "a"}), IsOk());
  EXPECT_THAT(store().Set(op), IsOk());
}

TEST_F(StoreTest, ADeleteOfWhatShouldBeAbsentRemovesNothing) {
  const WriteOp op = {.key = "a", .precondition = Precondition::Absent()};
  EXPECT_THAT(store().Delete(op), IsOk());
  MustSet({.key = "a", .value = "1"});
  EXPECT_THAT(store().Delete(op), HasCode(kMismatch));
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("1")));
}

// An expired item that the sweeper has not reached yet counts as absent, both
// to readers and to preconditions.
TEST_F(StoreTest, AnExpiredItemIsAbsentBeforeTheSweep) {
  const ETag etag =
      MustSet({.key = "a", .value = "1", .ttl = absl::Seconds(5)});
  clock_.Advance(absl::Milliseconds(4999));
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("1")));
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(IsMissing()));
  EXPECT_THAT(
      store().Set({.key = "a", .precondition = Precondition::Match(etag)}),
      HasCode(kMismatch));
  EXPECT_THAT(
      store().Set(
          {.key = "a", .value = "2", .precondition = Precondition::Absent()}),
      IsOk());
}

TEST_F(StoreTest, ASetWithoutTimeToLiveClearsTheFormerOne) {
  MustSet({.key = "a", .value = "1", .ttl = absl::Seconds(5)});
  EXPECT_EQ((*store().Get("a"))->expires, clock_.Now() + absl::Seconds(5));
  MustSet({.key = "a", .value = "2"});
  EXPECT_EQ((*store().Get("a"))->expires, std::nullopt);
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(store().Sweep(), IsOkAndHolds(Eq(0)));
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("2")));
}

TEST_F(StoreTest, SweepRemovesWhatExpiredAndNothingElse) {
  for (int i = 0; i < 600; ++i) {
    MustSet({.key = absl::StrCat("short", i), .ttl = absl::Seconds(10)});
  }
  MustSet({.key = "long", .ttl = absl::Hours(10)});
  MustSet({.key = "never"});
  clock_.Advance(absl::Minutes(3));
  EXPECT_THAT(store().Sweep(), IsOkAndHolds(Eq(600)));
  EXPECT_EQ(store().GetStats()->records, 2u);
  EXPECT_THAT(store().Sweep(), IsOkAndHolds(Eq(0)));
  EXPECT_THAT(store().CheckIntegrity(), IsOk());
}

TEST_F(StoreTest, TheSweeperThreadRemovesByItself) {
  store().SetCleanupInterval(absl::Milliseconds(10));
  MustSet({.key = "a", .ttl = absl::Seconds(1)});
  clock_.Advance(absl::Minutes(3));
  for (int i = 0; i < 1000 && store().GetStats()->records != 0; ++i) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_EQ(store().GetStats()->records, 0u);
}

TEST_F(StoreTest, ATimeToLiveOutOfRangeIsRefused) {
  for (const absl::Duration ttl :
       {absl::ZeroDuration(), absl::Seconds(-1), absl::InfiniteDuration()}) {
    EXPECT_THAT(store().Set({.key = "a", .ttl = ttl}),
                HasCode(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(StoreTest, ATransactionHoldsWholeOrNotAtAll) {
  const ETag a = MustSet({.key = "a", .value = "1"});
  std::vector<WriteOp> ops = {
      {.key = "b", .value = "new"},
      {.key = "a", .value = "2", .precondition = Precondition::Match(ETag(7))},
      {.kind = WriteOp::Kind::kDelete, .key = "c"}};
  EXPECT_THAT(
      store().Transact(ops),
      StatusIs(kMismatch, testing::AllOf(HasSubstr("possible etag mismatch"),
                                         HasSubstr("operation 2 of 3"),
                                         HasSubstr("nothing was written"))));
  EXPECT_THAT(store().Get("b"), IsOkAndHolds(IsMissing()));

  ops[1].precondition = Precondition::Match(a);
  EXPECT_THAT(store().Transact(ops), IsOk());
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("2")));
  EXPECT_THAT(store().Get("b"), IsOkAndHolds(HasValue("new")));
}

TEST_F(StoreTest, LaterOperationsOfATransactionSeeEarlierOnes) {
  MustSet({.key = "key1", .value = "old"});
  EXPECT_THAT(store().Transact({
                  {.kind = WriteOp::Kind::kDelete, .key = "key1"},
                  {.key = "key2", .value = "1"},
                  {.kind = WriteOp::Kind::kDelete, .key = "key2"},
                  {.key = "key3", .value = "1"},
                  {.key = "key3", .value = "2"},
                  {.key = "key1",
                   .value = "new",
                   .precondition = Precondition::Absent()},
              }),
              IsOk());
  EXPECT_THAT(store().Get("key1"), IsOkAndHolds(HasValue("new")));
  EXPECT_THAT(store().Get("key2"), IsOkAndHolds(IsMissing()));
  EXPECT_THAT(store().Get("key3"), IsOkAndHolds(HasValue("2")));
}

TEST_F(StoreTest, AnETagUsedTwiceInATransactionMatchesOnce) {
  const ETag a = MustSet({.key = "a", .value = "1"});
  EXPECT_THAT(
      store().Transact(
          {{.key = "a", .value = "2", .precondition = Precondition::Match(a)},
           {.key = "a", .value = "3", .precondition = Precondition::Match(a)}}),
      StatusIs(kMismatch, HasSubstr("operation 2 of 2")));
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("1")));
}

TEST_F(StoreTest, AnEmptyTransactionSucceeds) {
  EXPECT_THAT(store().Transact({}), IsOk());
  EXPECT_TRUE(store().BulkWrite({}).empty());
}

TEST_F(StoreTest, ABulkWriteFailsItemByItem) {
  const ETag good = MustSet({.key = "good", .value = "1"});
  MustSet({.key = "bad", .value = "1"});
  const std::vector<Store::WriteResult> results = store().BulkWrite(
      {{.key = "bad", .value = "2", .precondition = Precondition::Match(good)},
       {.key = "good", .value = "2", .precondition = Precondition::Match(good)},
       {.key = ""},
       {.key = "twice", .value = "1"},
       {.key = "twice", .value = "2"}});
  ASSERT_EQ(results.size(), 5u);
  EXPECT_THAT(results[0], HasCode(kMismatch));
  EXPECT_THAT(results[1], IsOk());
  EXPECT_THAT(results[2], HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(store().Get("bad"), IsOkAndHolds(HasValue("1")));
  EXPECT_THAT(store().Get("good"), IsOkAndHolds(HasValue("2")));
  EXPECT_THAT(store().Get("twice"), IsOkAndHolds(HasValue("2")));
}

TEST_F(StoreTest, BulkGetAnswersInOrderWithRepeatsAndHoles) {
  MustSet({.key = "a", .value = "1"});
  const absl::StatusOr<std::vector<Store::ReadResult>> results =
      store().BulkGet({"a", "missing", "a", ""});
  ASSERT_THAT(results, IsOk());
  ASSERT_EQ(results->size(), 4u);
  EXPECT_THAT((*results)[0], IsOkAndHolds(HasValue("1")));
  EXPECT_THAT((*results)[1], IsOkAndHolds(IsMissing()));
  EXPECT_THAT((*results)[2], IsOkAndHolds(HasValue("1")));
  EXPECT_THAT((*results)[3], HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(StoreTest, BulkGetReadsNoMoreValuesThanThereIsRoomFor) {
  MustSet({.key = "large", .value = std::string(100, 'x')});
  MustSet({.key = "small", .value = std::string(10, 'x')});
  const absl::StatusOr<std::vector<Store::ReadResult>> results =
      store().BulkGet({"small", "large", "small", "missing"}, 100);
  ASSERT_THAT(results, IsOk());
  EXPECT_THAT((*results)[0], IsOkAndHolds(HasValue(std::string(10, 'x'))));
  EXPECT_THAT((*results)[1], HasCode(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT((*results)[2], IsOkAndHolds(HasValue(std::string(10, 'x'))));
  EXPECT_THAT((*results)[3], IsOkAndHolds(IsMissing()));
}

TEST_F(StoreTest, AllOfItSurvivesReopening) {
  const ETag etag = MustSet({.key = "a", .value = std::string(5000, 'x')});
  MustSet({.key = "t", .ttl = absl::Hours(1)});
  const Store::Stats before = *store().GetStats();
  Reopen();
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue(std::string(5000, 'x'))));
  EXPECT_EQ((*store().Get("a"))->etag, etag);
  EXPECT_EQ((*store().Get("t"))->expires, clock_.Now() + absl::Hours(1));
  const Store::Stats after = *store().GetStats();
  EXPECT_EQ(after.records, 2u);
  EXPECT_EQ(after.open_count, before.open_count + 1);
  EXPECT_GT(after.commit_seq, before.commit_seq);
  EXPECT_THAT(store().CheckIntegrity(), IsOk());
}

TEST_F(StoreTest, ASecondStoreOfTheSameFolderIsRefusedByName) {
  EXPECT_THAT(Store::Open(OptionsForTest()),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr(absl::StrCat("pid ", getpid()))));
}

TEST_F(StoreTest, ACancelledWriteIsNotApplied) {
  const std::atomic<bool> cancelled = true;
  absl::StatusOr<std::vector<ETag>> result;
  absl::Notification answered;
  store().TransactAsync({{.key = "a"}}, {.cancelled = &cancelled},
                        [&](absl::StatusOr<std::vector<ETag>> etags) {
                          result = std::move(etags);
                          answered.Notify();
                        });
  answered.WaitForNotification();
  EXPECT_THAT(result, HasCode(absl::StatusCode::kCancelled));
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(IsMissing()));
}

TEST_F(StoreTest, AWritePastItsDeadlineIsNotApplied) {
  absl::StatusOr<std::vector<ETag>> result;
  absl::Notification answered;
  store().TransactAsync({{.key = "a"}},
                        {.deadline = std::chrono::steady_clock::now()},
                        [&](absl::StatusOr<std::vector<ETag>> etags) {
                          result = std::move(etags);
                          answered.Notify();
                        });
  answered.WaitForNotification();
  EXPECT_THAT(result, HasCode(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(IsMissing()));
}

TEST_F(StoreTest, CountersDoNotLoseIncrementsUnderContention) {
  constexpr int kThreads = 8;
  constexpr int kIncrements = 50;
  MustSet({.key = "n", .value = "0"});
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this] {
      for (int done = 0; done < kIncrements;) {
        const absl::StatusOr<std::optional<Item>> item = store().Get("n");
        ASSERT_THAT(item, IsOk());
        const int next = std::stoi((*item)->value) + 1;
        const absl::StatusOr<ETag> etag =
            store().Set({.key = "n",
                         .value = absl::StrCat(next),
                         .precondition = Precondition::Match((*item)->etag)});
        if (etag.ok()) {
          ++done;
        } else {
          ASSERT_THAT(etag, HasCode(kMismatch));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(store().Get("n"),
              IsOkAndHolds(HasValue(absl::StrCat(kThreads * kIncrements))));
}

TEST_F(StoreTest, SixtyFourBlindWritersOfOneKeyLeaveACorrectAccumulator) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 64; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 20; ++i) {
        if ((t + i) % 3 == 0) {
          EXPECT_THAT(store().Delete({.key = "hot"}), IsOk());
        } else {
          EXPECT_THAT(store().Set({.key = "hot", .value = absl::StrCat(t, i)}),
                      IsOk());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(store().CheckIntegrity(), IsOk());
  MustSet({.key = "hot"});
  EXPECT_EQ(store().GetStats()->records, 1u);
  EXPECT_THAT(store().CheckIntegrity(), IsOk());
}

}  // namespace
}  // namespace statecpp
