// SPDX-License-Identifier: Apache-2.0
//
// How writes share commits, and what becomes of each. The storage below is
// LMDB's; a layer before it watches, and fails on request.
#include "engine/commit_queue.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "engine/errors.h"
#include "engine/options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/storage_for_test.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::SizeIs;
using Outcome = Verdict::Outcome;

// Passes on to a Storage, counts, and fails on request.
class WatchedStorage final : public Storage {
 public:
  explicit WatchedStorage(Storage& storage) : storage_(storage) {}

  absl::StatusOr<std::unique_ptr<Snapshot>> Read() const override {
    return storage_.Read();
  }

  absl::StatusOr<std::vector<Verdict>> Commit(
      absl::Span<const Batch* const> group, int64_t confirmed_ms) override {
    {
      absl::MutexLock lock(&mutex_);
      groups_.push_back(group.size());
      confirmed_ms_ = confirmed_ms;
      if (!failures_.empty()) {
        absl::Status failure = std::move(failures_.front());
        failures_.pop_front();
        return failure;
      }
    }
    return storage_.Commit(group, confirmed_ms);
  }

  // The next commit fails so; what is said twice, fails the next two.
  void FailNext(absl::Status failure) {
    absl::MutexLock lock(&mutex_);
    failures_.push_back(std::move(failure));
  }
  // The size of every group that was committed, or that one tried to.
  std::vector<size_t> groups() const {
    absl::MutexLock lock(&mutex_);
    return groups_;
  }
  int64_t confirmed_ms() const {
    absl::MutexLock lock(&mutex_);
    return confirmed_ms_;
  }

 private:
  Storage& storage_;
  mutable absl::Mutex mutex_;
  std::vector<size_t> groups_ ABSL_GUARDED_BY(mutex_);
  int64_t confirmed_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<absl::Status> failures_ ABSL_GUARDED_BY(mutex_);
};

// A batch on its way, and its verdict.
class Call {
 public:
  explicit Call(Batch batch) : batch_(std::move(batch)) {}

  void Submit(CommitQueue& queue, CallBounds bounds = {}) {
    queue.Submit(batch_, bounds, [this](Verdict verdict) {
      if (before_answer_) before_answer_();
      verdict_ = std::move(verdict);
      answered_.Notify();
    });
  }
  // Run on the thread that answers, before the answer counts.
  Call& BeforeAnswer(std::function<void()> run) {
    before_answer_ = std::move(run);
    return *this;
  }
  bool IsAnswered() const { return answered_.HasBeenNotified(); }
  const Verdict& verdict() const {
    answered_.WaitForNotification();
    return verdict_;
  }
  Outcome outcome() const { return verdict().outcome; }
  const absl::Status& status() const { return verdict().status; }

 private:
  const Batch batch_;
  std::function<void()> before_answer_;
  Verdict verdict_;
  absl::Notification answered_;
};

class CommitQueueTest : public ::testing::Test {
 protected:
  void StartQueue(CommitQueue::Limits limits = {}) {
    queue_.emplace(watched_, time_, limits, [this](const absl::Status& cause) {
      failures_.push_back(cause);
    });
  }

  // Lives until the queue has ended, whatever becomes of the test.
  Call* NewCall(Change change) {
    calls_.push_back(std::make_unique<Call>(Batch{std::move(change)}));
    return calls_.back().get();
  }
  Call* NewPut(std::string place, absl::string_view value) {
    return NewCall(storage_.Put(std::move(place), value));
  }
  std::vector<Call*> NewPuts(int count, absl::string_view value) {
    std::vector<Call*> calls;
    for (int i = 0; i < count; ++i) {
      calls.push_back(NewPut(absl::StrCat("k", i), value));
    }
    return calls;
  }

  // Returns once the commit thread is busy with the verdict of this call;
  // Release lets it go on.
  void BlockCommitThread() {
    blocker_ = NewPut("blocker", "b");
    blocker_->BeforeAnswer([this] {
      blocked_.Notify();
      release_.WaitForNotification();
    });
    blocker_->Submit(*queue_);
    blocked_.WaitForNotification();
  }
  void Release() { release_.Notify(); }

  void TearDown() override {
    if (!release_.HasBeenNotified()) Release();
    queue_.reset();
  }

  StorageForTest storage_{uint64_t{1} << 20};
  WatchedStorage watched_{*storage_};
  FakeClock clock_;
  TrustedTime time_{clock_, clock_.Now()};
  std::vector<absl::Status> failures_;  // of the commit thread until it ended

  std::vector<std::unique_ptr<Call>> calls_;
  Call* blocker_ = nullptr;
  absl::Notification blocked_;
  absl::Notification release_;
  std::optional<CommitQueue> queue_;
};

TEST_F(CommitQueueTest, ManyBatchesAtOnceAreAnsweredInTheirOrder) {
  StartQueue();
  EXPECT_THAT(queue_->CommitAll({}), SizeIs(0));
  const std::vector<Verdict> verdicts = queue_->CommitAll(
      {{storage_.Put("a", "1", Expectation::Absent())},
       {storage_.Put("a", "2", Expectation::Absent())},
       {storage_.Keep("b", Expectation::Absent()), storage_.Put("c", "3")}});
  ASSERT_THAT(verdicts, SizeIs(3));
  EXPECT_EQ(verdicts[0].outcome, Outcome::kCommitted);
  EXPECT_EQ(verdicts[1].outcome, Outcome::kConflict);
  EXPECT_EQ(verdicts[2].outcome, Outcome::kCommitted);
  EXPECT_THAT(storage_.Read("a"), IsOkAndHolds(Optional(Eq("1"))));
  EXPECT_THAT(storage_.Read("c"), IsOkAndHolds(Optional(Eq("3"))));
}

TEST_F(CommitQueueTest, ALoneWriteIsCommittedAtOnce) {
  StartQueue();
  Call* const call = NewPut("a", "1");
  call->Submit(*queue_);
  EXPECT_EQ(call->outcome(), Outcome::kCommitted);
  EXPECT_THAT(storage_.Read("a"), IsOkAndHolds(Optional(Eq("1"))));
  EXPECT_EQ(watched_.confirmed_ms(), absl::ToUnixMillis(clock_.Now()));
  EXPECT_THAT(queue_->health(), IsOk());
}

TEST_F(CommitQueueTest, WaitsBeforeAGroupUntilItIsToldNotTo) {
  StartQueue();
  BlockCommitThread();
  queue_->Slow(absl::InfiniteDuration());
  const std::vector<Call*> calls = NewPuts(3, "1");
  for (Call* call : calls) call->Submit(*queue_);
  Release();
  EXPECT_EQ(blocker_->outcome(), Outcome::kCommitted);
  EXPECT_EQ(queue_->waiting(), 3u);
  queue_->Slow(absl::ZeroDuration());
  for (Call* call : calls) EXPECT_EQ(call->outcome(), Outcome::kCommitted);
  EXPECT_THAT(watched_.groups(), ElementsAre(1, 3));
}

TEST_F(CommitQueueTest, DoesNotWaitBetweenTheHalvesOfAGroup) {
  StartQueue();
  BlockCommitThread();
  const std::vector<Call*> calls = NewPuts(2, "1");
  calls[0]->BeforeAnswer([this] { queue_->Slow(absl::InfiniteDuration()); });
  for (Call* call : calls) call->Submit(*queue_);
  watched_.FailNext(absl::ResourceExhaustedError("too large"));
  Release();
  for (Call* call : calls) EXPECT_EQ(call->outcome(), Outcome::kCommitted);
  EXPECT_THAT(watched_.groups(), ElementsAre(1, 2, 1, 1));
}

TEST_F(CommitQueueTest, CommitsWhatWaitsAtOnceWhenItIsClosed) {
  StartQueue();
  BlockCommitThread();
  queue_->Slow(absl::InfiniteDuration());
  Call* const call = NewPut("a", "1");
  call->Submit(*queue_);
  Release();
  queue_.reset();
  EXPECT_EQ(call->outcome(), Outcome::kCommitted);
}

TEST_F(CommitQueueTest, AGroupFormsWhileTheCommitThreadIsBusy) {
  StartQueue();
  BlockCommitThread();
  const auto calls = NewPuts(64, "1");
  for (Call* const call : calls) call->Submit(*queue_);
  for (Call* const call : calls) EXPECT_FALSE(call->IsAnswered());
  Release();
  for (Call* const call : calls) {
    EXPECT_EQ(call->outcome(), Outcome::kCommitted);
  }
  EXPECT_THAT(watched_.groups(), ElementsAre(1, 64));
}

TEST_F(CommitQueueTest, AGroupKeepsToItsLimits) {
  StartQueue({.group_batches = 10, .group_bytes = 2900});
  BlockCommitThread();
  std::vector<Call*> calls = NewPuts(12, "");
  for (Call* const call : NewPuts(3, std::string(1300, 'v'))) {
    calls.push_back(call);
  }
  // More than a group may hold, but one batch is always a group.
  calls.push_back(NewPut("large", std::string(9000, 'v')));
  calls.push_back(NewPut("last", ""));
  for (Call* const call : calls) call->Submit(*queue_);
  Release();
  for (Call* const call : calls) {
    EXPECT_EQ(call->outcome(), Outcome::kCommitted);
  }
  EXPECT_THAT(watched_.groups(), ElementsAre(1, 10, 3, 2, 1, 1));
}

TEST_F(CommitQueueTest, AGroupIsJudgedAndAnsweredInTheOrderOfSubmission) {
  StartQueue();
  BlockCommitThread();
  std::vector<Call*> calls;
  std::vector<int> answered;
  for (int i = 0; i < 10; ++i) {
    calls.push_back(NewPut("same", absl::StrCat(i)));
    calls.back()->BeforeAnswer([&answered, i] { answered.push_back(i); });
    calls.back()->Submit(*queue_);
  }
  Call* const late =
      NewCall(storage_.Put("same", "late", Expectation::Absent()));
  late->Submit(*queue_);
  Release();
  EXPECT_EQ(late->outcome(), Outcome::kConflict);
  EXPECT_THAT(answered, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(watched_.groups(), ElementsAre(1, 11));
  EXPECT_THAT(storage_.Read("same"), IsOkAndHolds(Optional(Eq("9"))));
}

TEST_F(CommitQueueTest, OnlyTheWriteThatDoesNotFitIsRefused) {
  StartQueue();
  for (const int large_at : {0, 17, 63}) {
    const std::string prefix = absl::StrCat("round", large_at);
    absl::Notification go;
    NewPut("gate", "g")
        ->BeforeAnswer([&go] { go.WaitForNotification(); })
        .Submit(*queue_);
    std::vector<Call*> calls;
    for (int i = 0; i < 64; ++i) {
      calls.push_back(
          NewPut(absl::StrCat(prefix, i),
                 i == large_at ? std::string(2 << 20, 'v') : absl::StrCat(i)));
      calls.back()->Submit(*queue_);
    }
    go.Notify();
    for (int i = 0; i < 64; ++i) {
      const auto value = storage_.Read(absl::StrCat(prefix, i));
      if (i == large_at) {
        EXPECT_EQ(calls[i]->outcome(), Outcome::kRefused);
        EXPECT_THAT(calls[i]->status(),
                    StatusIs(absl::StatusCode::kResourceExhausted,
                             HasSubstr("the store is full")));
      } else {
        EXPECT_EQ(calls[i]->outcome(), Outcome::kCommitted);
      }
    }
    EXPECT_EQ(storage_->accumulator().records(),
              1 + 63 * (large_at == 0    ? 1
                        : large_at == 17 ? 2
                                         : 3u));
    EXPECT_TRUE(storage_.IsWhole());
  }
  EXPECT_THAT(queue_->health(), IsOk());
}

TEST_F(CommitQueueTest, AFullQueueAnswersAtOnce) {
  StartQueue({.queued_batches = 3});
  BlockCommitThread();
  const auto calls = NewPuts(3, "1");
  for (Call* const call : calls) call->Submit(*queue_);
  Call* const fourth = NewPut("fourth", "1");
  fourth->Submit(*queue_);
  ASSERT_TRUE(fourth->IsAnswered());
  EXPECT_EQ(fourth->outcome(), Outcome::kRefused);
  EXPECT_THAT(fourth->status(),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("queue is full"), HasSubstr("3 writes"),
                             HasSubstr("nothing was written"))));
  EXPECT_THAT(error::HttpCode(fourth->status()), Optional(429));
  Release();
  for (Call* const call : calls) {
    EXPECT_EQ(call->outcome(), Outcome::kCommitted);
  }
  EXPECT_THAT(storage_.Read("fourth"), IsOkAndHolds(Eq(std::nullopt)));
  Call* const after = NewPut("after", "1");
  after->Submit(*queue_);
  EXPECT_EQ(after->outcome(), Outcome::kCommitted);
}

TEST_F(CommitQueueTest, AQueueIsFullByBytesToo) {
  StartQueue({.queued_bytes = 5000});
  BlockCommitThread();
  // One is taken whatever its size, or it could never be written.
  Call* const large = NewPut("large", std::string(9000, 'v'));
  large->Submit(*queue_);
  Call* const small = NewPut("small", "1");
  small->Submit(*queue_);
  ASSERT_TRUE(small->IsAnswered());
  EXPECT_THAT(small->status(), HasCode(absl::StatusCode::kResourceExhausted));
  Release();
  EXPECT_EQ(large->outcome(), Outcome::kCommitted);
}

// What waits in a store's queue, and nothing smaller. One batch stands for all
// that wait, so that a full queue takes no memory.
CommitQueue::Limits LimitsOfAStore() {
  const Options options;
  return {.queued_batches = options.max_queued_writes,
          .queued_bytes = options.max_queued_bytes};
}

TEST_F(CommitQueueTest, AStoresQueueHas65536WritesAndNotOneMore) {
  StartQueue(LimitsOfAStore());
  BlockCommitThread();
  const Batch batch = {storage_.Put("a", "1")};
  std::atomic<int> committed = 0;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 65536; ++i) {
    queue_->Submit(batch, {}, [&](Verdict verdict) {
      if (verdict.outcome == Outcome::kCommitted) ++committed;
      ++answered;
    });
  }
  const int refused = answered;
  Call* const past = NewPut("past", "1");
  past->Submit(*queue_);
  const bool at_once = past->IsAnswered();
  Release();
  queue_.reset();
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(committed, 65536);
  EXPECT_TRUE(at_once);
  EXPECT_THAT(past->status(), StatusIs(absl::StatusCode::kResourceExhausted,
                                       HasSubstr("full: 65536 writes")));
}

TEST_F(CommitQueueTest, AStoresQueueHas256MebibytesAndNotOneByteMore) {
  StartQueue(LimitsOfAStore());
  BlockCommitThread();
  const Batch batch = {{.space = Space::kRecords,
                        .key = "a",
                        .verb = Change::Verb::kPut,
                        .value = std::string((4 << 20) - 1, 'v')}};
  // Nothing of them is to be written.
  const std::atomic<bool> cancelled = true;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 64; ++i) {
    queue_->Submit(batch, {.cancelled = &cancelled},
                   [&](Verdict) { ++answered; });
  }
  const int refused = answered;
  Call* const past = NewCall(
      {.space = Space::kRecords, .key = "b", .verb = Change::Verb::kDelete});
  past->Submit(*queue_);
  const bool at_once = past->IsAnswered();
  Release();
  queue_.reset();
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(answered, 64);
  EXPECT_TRUE(at_once);
  EXPECT_THAT(past->status(),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("64 writes, 268435456 bytes")));
}

TEST_F(CommitQueueTest, BoundsAreReadLast) {
  StartQueue();
  BlockCommitThread();
  std::atomic<bool> cancelled = false;
  Call* const cancel = NewPut("cancelled", "1");
  cancel->Submit(*queue_, {.cancelled = &cancelled});
  const auto deadline = std::chrono::steady_clock::now();
  Call* const overdue = NewPut("overdue", "1");
  overdue->Submit(*queue_,
                  {.deadline = deadline + std::chrono::microseconds(1)});
  Call* const in_time = NewPut("in time", "1");
  in_time->Submit(*queue_, {.deadline = deadline + std::chrono::hours(1)});

  cancelled = true;
  while (std::chrono::steady_clock::now() <=
         deadline + std::chrono::microseconds(1)) {
  }
  Release();
  EXPECT_EQ(in_time->outcome(), Outcome::kCommitted);
  EXPECT_EQ(cancel->outcome(), Outcome::kRefused);
  EXPECT_THAT(cancel->status(), HasCode(absl::StatusCode::kCancelled));
  EXPECT_EQ(overdue->outcome(), Outcome::kRefused);
  EXPECT_THAT(overdue->status(), HasCode(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(storage_.Read("cancelled"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(storage_.Read("overdue"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(watched_.groups(), ElementsAre(1, 1));
}

// A group that is split is judged part by part, and the bounds of a part are
// read when its turn comes.
TEST_F(CommitQueueTest, BoundsAreReadLastInASplitGroupToo) {
  StartQueue();
  BlockCommitThread();
  std::atomic<bool> cancelled = false;
  Call* const first = NewPut("first", "1");
  first->BeforeAnswer([&] { cancelled = true; }).Submit(*queue_);
  Call* const cancel = NewPut("cancelled", "1");
  cancel->Submit(*queue_, {.cancelled = &cancelled});
  watched_.FailNext(absl::ResourceExhaustedError("too much at once"));
  Release();
  EXPECT_EQ(first->outcome(), Outcome::kCommitted);
  EXPECT_EQ(cancel->outcome(), Outcome::kRefused);
  EXPECT_THAT(cancel->status(), HasCode(absl::StatusCode::kCancelled));
  EXPECT_THAT(storage_.Read("cancelled"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(CommitQueueTest, AfterAFailedSyncNothingIsTriedAgain) {
  StartQueue({.group_batches = 2});
  BlockCommitThread();
  const auto calls = NewPuts(5, "1");
  for (Call* const call : calls) call->Submit(*queue_);
  watched_.FailNext(error::CommitOutcomeUnknown("Input/output error"));
  Release();
  // The group whose sync failed may be on disk; those behind it are not.
  for (size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i]->outcome(),
              i < 2 ? Outcome::kUnknown : Outcome::kRefused);
    EXPECT_THAT(calls[i]->status(),
                StatusIs(i < 2 ? absl::StatusCode::kUnknown
                               : absl::StatusCode::kUnavailable,
                         HasSubstr("Input/output error")));
  }
  Call* const later = NewPut("later", "1");
  later->Submit(*queue_);
  ASSERT_TRUE(later->IsAnswered());
  EXPECT_THAT(later->status(), HasCode(absl::StatusCode::kUnavailable));
  EXPECT_THAT(queue_->health(), HasCode(absl::StatusCode::kUnavailable));
  EXPECT_THAT(watched_.groups(), ElementsAre(1, 2));
  queue_.reset();
  EXPECT_THAT(failures_, ElementsAre(HasCode(absl::StatusCode::kUnknown)));
}

TEST_F(CommitQueueTest, AFailedSyncInHalfAGroupStopsTheOtherHalf) {
  StartQueue();
  BlockCommitThread();
  Call* const first = NewPut("first", "1");
  Call* const second = NewPut("second", "1");
  first->Submit(*queue_);
  second->Submit(*queue_);
  watched_.FailNext(absl::ResourceExhaustedError("too much at once"));
  watched_.FailNext(error::CommitOutcomeUnknown("Input/output error"));
  Release();
  EXPECT_EQ(first->outcome(), Outcome::kUnknown);
  EXPECT_EQ(second->outcome(), Outcome::kRefused);
  EXPECT_THAT(second->status(), HasCode(absl::StatusCode::kUnavailable));
  EXPECT_THAT(watched_.groups(), ElementsAre(1, 2, 1));
}

TEST_F(CommitQueueTest, AnErrorOfOneBatchIsNotThatOfItsGroup) {
  StartQueue();
  BlockCommitThread();
  const auto calls = NewPuts(3, "1");
  for (Call* const call : calls) call->Submit(*queue_);
  watched_.FailNext(absl::DataLossError("a damaged page"));
  Release();
  for (Call* const call : calls) {
    EXPECT_EQ(call->outcome(), Outcome::kCommitted);
  }
  watched_.FailNext(absl::DataLossError("a damaged page"));
  Call* const alone = NewPut("alone", "1");
  alone->Submit(*queue_);
  EXPECT_EQ(alone->outcome(), Outcome::kRefused);
  EXPECT_THAT(alone->status(), HasCode(absl::StatusCode::kDataLoss));
  EXPECT_THAT(queue_->health(), IsOk());
  Call* const later = NewPut("later", "1");
  later->Submit(*queue_);
  EXPECT_EQ(later->outcome(), Outcome::kCommitted);
  queue_.reset();
  EXPECT_THAT(failures_, SizeIs(0));
}

TEST_F(CommitQueueTest, AReceiverMaySubmit) {
  StartQueue();
  Call* const first = NewPut("first", "1");
  Call* const second = NewPut("second", "1");
  first->BeforeAnswer([&] { second->Submit(*queue_); }).Submit(*queue_);
  EXPECT_EQ(second->outcome(), Outcome::kCommitted);
  EXPECT_EQ(first->outcome(), Outcome::kCommitted);
}

TEST_F(CommitQueueTest, EndsOnlyWhenAllThatWaitsIsCommitted) {
  StartQueue();
  const auto calls = NewPuts(20, "1");
  std::vector<Call*> probes;
  absl::Notification blocked;
  Call* const blocker = NewPut("blocker", "b");
  // Ends when a submission tells that the destructor has begun.
  blocker->BeforeAnswer([&] {
    blocked.Notify();
    do {
      probes.push_back(NewPut("probe", "1"));
      probes.back()->Submit(*queue_);
      std::this_thread::yield();
    } while (!probes.back()->IsAnswered());
  });
  blocker->Submit(*queue_);
  blocked.WaitForNotification();
  for (Call* const call : calls) call->Submit(*queue_);
  queue_.reset();
  for (Call* const call : calls) {
    ASSERT_TRUE(call->IsAnswered());
    EXPECT_EQ(call->outcome(), Outcome::kCommitted);
  }
  EXPECT_THAT(probes.back()->status(),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("the store is closing")));
}

TEST_F(CommitQueueTest, ManyThreadsShareCommits) {
  constexpr int kThreads = 8;
  constexpr int kWrites = 50;
  StartQueue();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kWrites; ++i) {
        // Not NewCall, which is for one thread.
        Call call({storage_.Put(absl::StrCat(t), absl::StrCat(i))});
        call.Submit(*queue_);
        ASSERT_EQ(call.outcome(), Outcome::kCommitted);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < kThreads; ++t) {
    EXPECT_THAT(storage_.Read(absl::StrCat(t)),
                IsOkAndHolds(Optional(Eq(absl::StrCat(kWrites - 1)))));
  }
  EXPECT_TRUE(storage_.IsWhole());
}

}  // namespace
}  // namespace statecpp
