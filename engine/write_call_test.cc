// SPDX-License-Identifier: Apache-2.0
//
// A conditional write that others overtake each time it is to be committed.
// What it decides at rest is in store_test.cc.
#include "engine/write_call.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "crypto/random.h"
#include "engine/errors.h"
#include "engine/keys.h"
#include "engine/record.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/storage_for_test.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::SizeIs;

// A Storage before which another writer comes first, as often as it is told to.
class ContestedStorage final : public Storage {
 public:
  explicit ContestedStorage(StorageForTest& storage) : storage_(storage) {}

  absl::StatusOr<std::unique_ptr<Snapshot>> Read() const override {
    return storage_->Read();
  }
  absl::StatusOr<std::vector<Verdict>> Commit(
      absl::Span<const Batch* const> group, int64_t confirmed_ms) override {
    ++commits_;
    if (commits_ <= wins_) {
      EXPECT_THAT(storage_.Commit({{Expired(commits_)}}), IsOk());
    }
    return storage_->Commit(group, confirmed_ms);
  }

  // Before the first commit: the other writer comes first so many times.
  void LetOthersWin(int wins) { wins_ = wins; }
  int commits() const { return commits_; }
  std::string place() const {
    return RecordKey(storage_->keyring().Get()->paths(), "key");
  }

 private:
  // Another record each time, and none that a first write would respect.
  Change Expired(int version) const {
    const std::string value =
        SealRecord(*storage_->keyring().Get(), SystemRandom(), place(),
                   {.version = static_cast<uint64_t>(version),
                    .expires_ms = 1,
                    .key = "key",
                    .content_type = "",
                    .value = absl::StrCat("of another ", version)});
    return {.space = Space::kRecords,
            .key = place(),
            .verb = Change::Verb::kPut,
            .value = value};
  }

  StorageForTest& storage_;
  int wins_ = 0;
  int commits_ = 0;  // of the commit thread, and read when it is idle
};

class WriteCallTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<ETag>> WriteFirst() {
    absl::StatusOr<WritePlan> plan =
        WritePlan::Make(storage_->keyring().Get(), SystemRandom(), clock_.Now(),
                        {{.key = "key",
                          .value = "ours",
                          .precondition = Precondition::Absent()}});
    if (!plan.ok()) return plan.status();
    absl::StatusOr<std::vector<ETag>> result;
    absl::Notification answered;
    WriteCall::Start(contested_, storage_->keyring(), queue_, time_,
                     *std::move(plan), {},
                     [&](absl::StatusOr<std::vector<ETag>> etags) {
                       result = std::move(etags);
                       answered.Notify();
                     });
    answered.WaitForNotification();
    return result;
  }

  FakeClock clock_;
  StorageForTest storage_;
  ContestedStorage contested_{storage_};
  TrustedTime time_{clock_, clock_.Now()};
  CommitQueue queue_{contested_, time_, {}, nullptr};
};

TEST_F(WriteCallTest, IsCommittedAtTheLastOf64Attempts) {
  contested_.LetOthersWin(63);
  EXPECT_THAT(WriteFirst(), IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ(contested_.commits(), 64);
  EXPECT_THAT(storage_.Read(contested_.place()),
              IsOkAndHolds(Optional(Eq("ours"))));
}

TEST_F(WriteCallTest, GivesUpWhereOthersWin64TimesAndHasWrittenNothing) {
  contested_.LetOthersWin(64);
  const absl::Status given_up = WriteFirst().status();
  EXPECT_THAT(given_up,
              StatusIs(absl::StatusCode::kAborted,
                       AllOf(HasSubstr("other writers changed \"key\" in each "
                                       "of 64 attempts"),
                             HasSubstr("nothing was written; retry"))));
  EXPECT_THAT(error::HttpCode(given_up), Optional(503));
  EXPECT_EQ(contested_.commits(), 64);
  EXPECT_THAT(storage_.Read(contested_.place()),
              IsOkAndHolds(Optional(Eq("of another 64"))));
  // The next call begins anew.
  EXPECT_THAT(WriteFirst(), IsOk());
}

}  // namespace
}  // namespace statecpp
