// SPDX-License-Identifier: Apache-2.0
//
// What happens between the steps of a rotation: a layer before the storage
// holds up commits, or refuses them, so that a test is at the moment it wants.
#include "engine/resealer.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "engine/lmdb_environment.h"
#include "engine/store_keys.h"
#include "engine/write_plan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/storage_for_test.h"

namespace statecpp {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;

// Nothing takes that long on a machine that is merely busy.
constexpr absl::Duration kPatience = absl::Seconds(60);

// Passes commits on to a Storage, or holds them up, or refuses them.
class GatedStorage final : public Storage {
 public:
  explicit GatedStorage(Storage& storage) : storage_(storage) {}

  absl::StatusOr<std::unique_ptr<Snapshot>> Read() const override {
    return storage_.Read();
  }

  absl::StatusOr<std::vector<Verdict>> Commit(
      absl::Span<const Batch* const> group, int64_t confirmed_ms) override {
    {
      absl::MutexLock lock(&mutex_);
      waiting_ = true;
      mutex_.Await(absl::Condition(&open_));
      waiting_ = false;
      if (passes_ == 0) return absl::ResourceExhaustedError("no more");
      --passes_;
    }
    return storage_.Commit(group, confirmed_ms);
  }

  void Close() {
    absl::MutexLock lock(&mutex_);
    open_ = false;
  }
  // Commits pass from now on: so many of them.
  void Open(int passes = 1 << 30) {
    absl::MutexLock lock(&mutex_);
    open_ = true;
    passes_ = passes;
  }
  // Until a commit stands before the closed gate.
  bool AwaitCommit() {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&waiting_), kPatience);
  }

 private:
  Storage& storage_;
  absl::Mutex mutex_;
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
  int passes_ ABSL_GUARDED_BY(mutex_) = 1 << 30;
};

class ResealerTest : public ::testing::Test {
 protected:
  // What a Store has of it.
  struct Parts {
    explicit Parts(LmdbStorage& storage)
        : gate(storage),
          queue(gate, time, {}, nullptr),
          resealer(storage, queue),
          keys(storage, queue, resealer, "the store") {}

    FakeClock clock;
    TrustedTime time{clock, clock.Now()};
    GatedStorage gate;
    CommitQueue queue;
    Resealer resealer;
    StoreKeys keys;
  };

  void SetUp() override { Start(); }
  void Start() { parts_ = std::make_unique<Parts>(*storage_); }
  void Stop() { parts_.reset(); }

  void Write(int count) {
    Batch batch;
    for (int i = 0; i < count; ++i) {
      batch.push_back(storage_.Put(Place(i), Value(i)));
    }
    ASSERT_THAT(storage_.Commit({batch}), IsOk());
  }
  static std::string Place(int i) { return absl::StrCat("place", i); }
  // Every third one is split.
  static std::string Value(int i) {
    return absl::StrCat("value ", i, std::string(i % 3 == 0 ? 2000 : 0, 'v'));
  }

  // How many records stand on disk under each data key.
  std::map<uint32_t, int> OnDisk() {
    std::map<uint32_t, int> counts;
    EXPECT_THAT((*storage_->Read())
                    ->Scan(Space::kRecords, "",
                           [&](absl::string_view, absl::string_view record) {
                             ++counts[RecordFrame::Parse(record)->key_id];
                             return true;
                           }),
                IsOk());
    return counts;
  }

  // A write that has been sealed, and not been submitted yet.
  WritePlan SealedWrite(std::string key) {
    std::vector<WriteOp> ops(1);
    ops[0].key = std::move(key);
    ops[0].value = "in flight";
    return WritePlan::Make(storage_->keyring().Get(), SystemRandom(),
                           parts_->clock.Now(), std::move(ops))
        .value();
  }

  bool AwaitIdle() { return parts_->resealer.WaitUntilIdle(kPatience); }

  StorageForTest storage_;
  std::unique_ptr<Parts> parts_;
};

using OnDiskCounts = std::map<uint32_t, int>;

TEST_F(ResealerTest, BringsAllRecordsUnderTheNewKeyAndKeepsTheirContent) {
  Write(300);
  ASSERT_THAT(parts_->keys.Rotate(), IsOkAndHolds(2u));
  ASSERT_TRUE(AwaitIdle());
  EXPECT_THAT(OnDisk(), Eq(OnDiskCounts{{2, 300}}));
  for (int i = 0; i < 300; ++i) {
    ASSERT_THAT(storage_.Read(Place(i)), IsOkAndHolds(Optional(Eq(Value(i)))));
  }
  EXPECT_TRUE(storage_.IsWhole());
  const Resealer::State state = parts_->resealer.state();
  EXPECT_EQ(state.left, 0u);
  EXPECT_EQ(state.done, 300u);
  EXPECT_EQ(state.damaged, 0u);
  EXPECT_FALSE(state.running);
  EXPECT_THAT(parts_->keys.Retire(1), IsOk());
}

TEST_F(ResealerTest, AWriteThatComesBetweenWins) {
  Write(1);
  parts_->gate.Close();
  ASSERT_THAT(parts_->keys.Rotate(), IsOk());
  ASSERT_TRUE(parts_->gate.AwaitCommit());
  // Behind the gate's back, after the record was read and sealed anew.
  ASSERT_THAT(storage_.Commit({{storage_.Put(Place(0), "newer")}}), IsOk());
  parts_->gate.Open();
  ASSERT_TRUE(AwaitIdle());
  EXPECT_THAT(storage_.Read(Place(0)), IsOkAndHolds(Optional(Eq("newer"))));
  EXPECT_EQ(parts_->resealer.state().done, 0u);
  EXPECT_EQ(parts_->resealer.state().left, 0u);
  EXPECT_TRUE(storage_.IsWhole());
}

// The write was sealed before the rotation and arrives when all else is done.
TEST_F(ResealerTest, WaitsForAWriteUnderTheFormerKey) {
  Write(10);
  auto plan = std::make_unique<WritePlan>(SealedWrite("late"));
  ASSERT_THAT(parts_->keys.Rotate(), IsOk());
  EXPECT_FALSE(parts_->resealer.WaitUntilIdle(absl::Milliseconds(200)));
  EXPECT_EQ(parts_->resealer.state().left, 0u);

  EXPECT_THAT(parts_->keys.Retire(1),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("still on their way; try again")));
  const std::vector<Verdict> verdicts =
      parts_->queue.CommitAll({plan->batch()});
  EXPECT_EQ(verdicts[0].outcome, Verdict::Outcome::kCommitted);
  plan.reset();
  ASSERT_TRUE(AwaitIdle());
  EXPECT_THAT(OnDisk(), Eq(OnDiskCounts{{2, 11}}));
  EXPECT_THAT(parts_->keys.Retire(1), IsOk());
  EXPECT_TRUE(storage_.IsWhole());
}

// What it seals under a key that is no longer the active one is a write in
// flight like any other.
TEST_F(ResealerTest, AKeyThatItStillSealsUnderIsNotRetired) {
  Write(10);
  parts_->gate.Close();
  ASSERT_THAT(parts_->keys.Rotate(), IsOkAndHolds(2u));
  ASSERT_TRUE(parts_->gate.AwaitCommit());  // with records under key 2
  ASSERT_THAT(parts_->keys.Rotate(), IsOkAndHolds(3u));
  EXPECT_THAT(parts_->keys.Retire(2), HasCode(absl::StatusCode::kUnavailable));
  parts_->gate.Open();
  ASSERT_TRUE(AwaitIdle());
  EXPECT_THAT(OnDisk(), Eq(OnDiskCounts{{3, 10}}));
  EXPECT_THAT(parts_->keys.Retire(2), IsOk());
  EXPECT_THAT(parts_->keys.Retire(1), IsOk());
  EXPECT_TRUE(storage_.IsWhole());
}

TEST_F(ResealerTest, SaysWhyItStoppedAndGoesOnWhenItIsWoken) {
  Write(200);
  parts_->gate.Open(/*passes=*/1);
  ASSERT_THAT(parts_->keys.Rotate(), IsOk());
  ASSERT_TRUE(AwaitIdle());
  Resealer::State state = parts_->resealer.state();
  EXPECT_THAT(state.error, StatusIs(absl::StatusCode::kResourceExhausted,
                                    HasSubstr("no more")));
  EXPECT_GT(state.left, 0u);
  EXPECT_LT(state.left, 200u);
  EXPECT_EQ(state.left + state.done, 200u);
  EXPECT_FALSE(state.running);

  parts_->gate.Open();
  parts_->resealer.Wake();
  ASSERT_TRUE(AwaitIdle());
  state = parts_->resealer.state();
  EXPECT_THAT(state.error, IsOk());
  EXPECT_EQ(state.left, 0u);
  EXPECT_THAT(OnDisk(), Eq(OnDiskCounts{{2, 200}}));
}

TEST_F(ResealerTest, GoesOnByItselfWhenTheStoreIsOpenedAgain) {
  Write(200);
  parts_->gate.Open(/*passes=*/1);
  ASSERT_THAT(parts_->keys.Rotate(), IsOk());
  ASSERT_TRUE(AwaitIdle());
  ASSERT_GT(parts_->resealer.state().left, 0u);
  Stop();
  ASSERT_THAT(storage_.Reopen(), IsOk());
  Start();
  ASSERT_TRUE(AwaitIdle());
  EXPECT_THAT(OnDisk(), Eq(OnDiskCounts{{2, 200}}));
  EXPECT_TRUE(storage_.IsWhole());
  EXPECT_THAT(parts_->keys.Retire(1), IsOk());
}

TEST_F(ResealerTest, EndsWithTheStoreInTheMiddleOfAPass) {
  Write(1000);
  parts_->gate.Close();
  ASSERT_THAT(parts_->keys.Rotate(), IsOk());
  ASSERT_TRUE(parts_->gate.AwaitCommit());
  parts_->gate.Open();
  Stop();
  EXPECT_TRUE(storage_.IsWhole());
  EXPECT_GT(OnDisk()[1], 0);
}

// They stay as they are, so that nothing of them is lost, and do not keep it
// busy; an overwrite settles the matter.
TEST_F(ResealerTest, LeavesDamagedRecordsAndStops) {
  Write(100);
  std::map<std::string, std::string> damaged;
  {
    // Head, body, and one that has no frame. The accumulator knows the former
    // records: it is what was damaged behind the store's back.
    Stop();
    storage_.Close();
    const auto environment =
        LmdbEnvironment::Open(storage_.folder(), uint64_t{64} << 20, nullptr)
            .value();
    auto txn = environment->BeginWrite().value();
    for (const int i : {1, 3, 4}) {
      std::string record(**txn.Get(LmdbEnvironment::Table::kRecords, Place(i)));
      record[i == 1 ? 40 : record.size() - 1] ^= 1;
      if (i == 4) record.resize(20);
      damaged[Place(i)] = record;
      ASSERT_THAT(txn.Put(LmdbEnvironment::Table::kRecords, Place(i), record),
                  IsOk());
    }
    ASSERT_THAT(txn.Commit(), IsOk());
  }
  ASSERT_THAT(storage_.Reopen(), IsOk());
  Start();
  ASSERT_THAT(parts_->keys.Rotate(), IsOk());
  ASSERT_TRUE(AwaitIdle());
  const Resealer::State state = parts_->resealer.state();
  EXPECT_EQ(state.left, 3u);
  EXPECT_EQ(state.damaged, 3u);
  EXPECT_EQ(state.done, 97u);
  EXPECT_THAT(state.error, IsOk());
  {
    const auto snapshot = storage_->Read().value();
    for (const auto& [place, record] : damaged) {
      EXPECT_EQ(std::string(**snapshot->Get(Space::kRecords, place)), record);
      EXPECT_THAT(storage_.ReadFrom(*snapshot, place),
                  HasCode(absl::StatusCode::kDataLoss));
    }
  }
  EXPECT_THAT(parts_->keys.Retire(1),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("records are still sealed under data key 1")));

  // The two that still tell their key can be accounted for.
  for (const int i : {1, 3}) {
    ASSERT_THAT(storage_.Commit({{storage_.Put(Place(i), "mended")}}), IsOk());
  }
  EXPECT_EQ(parts_->resealer.state().left, 1u);
}

}  // namespace
}  // namespace statecpp
