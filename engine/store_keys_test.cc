// SPDX-License-Identifier: Apache-2.0
//
// The keys of an open sealed store, changed while it serves. What the resealer
// does between its steps is in resealer_test.
#include "engine/store_keys.h"

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/stored_records.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::StatusCode kWrongKey = absl::StatusCode::kPermissionDenied;
constexpr absl::StatusCode kThere = absl::StatusCode::kAlreadyExists;

// Nothing takes that long on a machine that is merely busy.
constexpr absl::Duration kPatience = absl::Minutes(1);

// Key `n`, by the name that it goes by.
MasterKey Key(uint8_t n) {
  return MasterKey::FromKey(absl::StrCat("key-", n),
                            Secret(std::vector<uint8_t>(Secret::kSize, n)));
}

MasterKey Passphrase(absl::string_view text) {
  return MasterKey::FromPassphrase("spoken", SecretBytes::Copy(text));
}

std::shared_ptr<const MasterKeys> Keys(MasterKey key) {
  auto keys = std::make_shared<MasterKeys>();
  keys->push_back(std::move(key));
  return keys;
}

MATCHER_P(SlotNamed, name, "is the slot of a name") { return arg.name == name; }
MATCHER_P2(HasDataKey, id, records, "is a data key with so many records") {
  *result_listener << "key " << arg.id << ", records " << arg.records;
  return arg.id == static_cast<uint32_t>(id) &&
         arg.records == static_cast<uint64_t>(records);
}

class StoreKeysTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(Keys(Key(1))); }

  absl::Status TryOpen(std::shared_ptr<const MasterKeys> keys) {
    store_.reset();
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = path_, .keys = std::move(keys), .clock = &clock_});
    if (store.ok()) store_ = *std::move(store);
    return store.status();
  }
  void Open(std::shared_ptr<const MasterKeys> keys) {
    ASSERT_THAT(TryOpen(std::move(keys)), IsOk());
  }
  void Close() { store_.reset(); }

  StoreKeys& keys() { return store_->keys(); }
  StoreKeys::Status Status() { return keys().GetStatus().value(); }
  void AwaitResealer() { ASSERT_TRUE(keys().WaitForResealer(kPatience)); }

  void Write(int count) {
    std::vector<WriteOp> ops;
    for (int i = 0; i < count; ++i) {
      ops.push_back({.key = absl::StrCat("app||", i % 7, "||", i),
                     .value = std::string(i % 5 == 0 ? 3000 : 10, 'v'),
                     .content_type = i % 2 == 0 ? "text/plain" : "",
                     .ttl = i % 3 == 0 ? std::optional(absl::Hours(1 + i))
                                       : std::nullopt});
      written_.push_back(ops.back().key);
    }
    for (const auto& result : store_->BulkWrite(std::move(ops))) {
      ASSERT_THAT(result, IsOk());
    }
  }

  // Everything that a caller can see of the items.
  std::vector<std::string> Visible() {
    std::vector<std::string> items;
    for (const std::string& key : written_) {
      const auto item = store_->Get(key);
      if (!item.ok() || !item->has_value()) {
        items.push_back(item.status().ToString());
        continue;
      }
      items.push_back(absl::StrCat(
          key, " ", (*item)->etag.ToString(), " ", (*item)->content_type, " ",
          absl::FormatTime((*item)->expires.value_or(absl::InfiniteFuture())),
          " ", std::hash<std::string>()((*item)->value)));
    }
    return items;
  }

  MemoryDir dir_;
  const std::string path_ = dir_.Path("store");
  FakeClock clock_;
  std::vector<std::string> written_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreKeysTest, ANewStoreHasOneKeyOfEachKind) {
  Write(3);
  const StoreKeys::Status status = Status();
  EXPECT_TRUE(status.sealed);
  EXPECT_THAT(status.store_id, SizeIs(32));
  EXPECT_THAT(status.slots, ElementsAre(SlotNamed("key-1")));
  EXPECT_FALSE(status.slots[0].passphrase);
  EXPECT_THAT(status.slots[0].fingerprint, SizeIs(8));
  EXPECT_THAT(status.data_keys, ElementsAre(HasDataKey(1, 3)));
  EXPECT_TRUE(status.data_keys[0].active);
  EXPECT_EQ(status.records, 3u);
  EXPECT_EQ(status.resealer.left, 0u);
}

TEST_F(StoreKeysTest, AMasterKeyIsReplacedWithoutARecordChanging) {
  Write(20);
  const std::vector<std::string> before = Visible();
  Close();
  const auto records = StoredRecords(path_);
  Open(Keys(Key(1)));
  ASSERT_THAT(keys().AddSlot(Key(2)), IsOk());
  EXPECT_THAT(Status().slots,
              ElementsAre(SlotNamed("key-1"), SlotNamed("key-2")));
  EXPECT_NE(Status().slots[0].fingerprint, Status().slots[1].fingerprint);

  // Everybody who opens it may have either.
  Open(Keys(Key(1)));
  Open(Keys(Key(2)));
  ASSERT_THAT(keys().RemoveSlot("key-1", *Keys(Key(2))), IsOk());
  EXPECT_THAT(Status().slots, ElementsAre(SlotNamed("key-2")));
  EXPECT_THAT(TryOpen(Keys(Key(1))),
              StatusIs(kWrongKey, HasSubstr("sealed for: key-2 (")));
  Open(Keys(Key(2)));
  EXPECT_EQ(Visible(), before);
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
  Close();
  EXPECT_EQ(StoredRecords(path_), records);
}

TEST_F(StoreKeysTest, APassphraseIsAKeyLikeAnother) {
  Write(1);
  ASSERT_THAT(keys().AddSlot(Passphrase("open sesame")), IsOk());
  EXPECT_TRUE(Status().slots[1].passphrase);
  EXPECT_THAT(keys().AddSlot(MasterKey::FromPassphrase(
                  "again", SecretBytes::Copy("open sesame"))),
              StatusIs(kThere, HasSubstr("already, by its slot \"spoken\"")));
  EXPECT_THAT(TryOpen(Keys(Passphrase("open says me"))), HasCode(kWrongKey));
  Open(Keys(Passphrase("open sesame")));
  EXPECT_THAT(store_->Get(written_[0]), IsOk());
  EXPECT_THAT(keys().RemoveSlot("key-1", *Keys(Passphrase("open sesame"))),
              IsOk());
  Open(Keys(Passphrase("open sesame")));
}

TEST_F(StoreKeysTest, NoSlotIsAddedThatWouldConfuse) {
  EXPECT_THAT(keys().AddSlot(MasterKey::FromKey("key-1", Secret::Random())),
              StatusIs(kThere, HasSubstr("has a key slot \"key-1\" already")));
  EXPECT_THAT(
      keys().AddSlot(MasterKey::FromKey(
          "other-name", Secret(std::vector<uint8_t>(Secret::kSize, 1)))),
      StatusIs(kThere, HasSubstr("already, by its slot \"key-1\"")));
  for (const std::string& name :
       {std::string(), std::string(65, 'n'), std::string(256, 'n'),
        std::string("a b"), std::string("a\0b", 3)}) {
    EXPECT_THAT(keys().AddSlot(MasterKey::FromKey(name, Secret::Random())),
                StatusIs(kInvalid, HasSubstr("is no name for a key")));
  }
  EXPECT_THAT(Status().slots, SizeIs(1));
  ASSERT_THAT(keys().AddSlot(
                  MasterKey::FromKey(std::string(64, 'n'), Secret::Random())),
              IsOk());
  Open(Keys(Key(1)));
}

TEST_F(StoreKeysTest, HasRoomForEightSlotsAndUsesItAgain) {
  for (uint8_t n = 2; n <= 8; ++n) ASSERT_THAT(keys().AddSlot(Key(n)), IsOk());
  EXPECT_THAT(keys().AddSlot(Key(9)),
              StatusIs(kInvalid, AllOf(HasSubstr("has 8 key slots"),
                                       HasSubstr("statecpp keys remove"))));
  ASSERT_THAT(keys().RemoveSlot("key-4", *Keys(Key(1))), IsOk());
  ASSERT_THAT(keys().AddSlot(Key(9)), IsOk());
  for (const uint8_t n : {1, 2, 3, 5, 6, 7, 8, 9}) {
    EXPECT_THAT(keys().CheckKeys(Keys(Key(n)).get()), IsOk()) << int{n};
    EXPECT_THAT(TryOpen(Keys(Key(n))), IsOk()) << int{n};
  }
  EXPECT_THAT(keys().CheckKeys(Keys(Key(4)).get()), HasCode(kWrongKey));
}

TEST_F(StoreKeysTest, TheLastKeyThatSomebodyHasIsNotRemoved) {
  EXPECT_THAT(keys().RemoveSlot("key-1", *Keys(Key(1))),
              StatusIs(kInvalid, HasSubstr("the store's only key slot")));
  ASSERT_THAT(keys().AddSlot(Key(2)), IsOk());
  EXPECT_THAT(
      keys().RemoveSlot("key-3", *Keys(Key(1))),
      StatusIs(absl::StatusCode::kNotFound,
               AllOf(HasSubstr("no key slot \"key-3\""),
                     HasSubstr("it has: key-1 ("), HasSubstr("key-2 ("))));
  // Whoever has key 1 alone would be locked out, and so would who has none.
  for (const auto& remaining :
       {Keys(Key(1)), std::make_shared<const MasterKeys>()}) {
    EXPECT_THAT(keys().RemoveSlot("key-1", *remaining),
                StatusIs(kInvalid, HasSubstr("the only key slot that the "
                                             "configured keys open")));
  }
  EXPECT_THAT(keys().RemoveSlot("key-1", *Keys(Key(9))), HasCode(kInvalid));
  EXPECT_THAT(Status().slots, SizeIs(2));
  EXPECT_THAT(keys().RemoveSlot("key-2", *Keys(Key(1))), IsOk());
  Open(Keys(Key(1)));
}

TEST_F(StoreKeysTest, SaysWhetherAKeyWouldOpenTheStore) {
  EXPECT_THAT(keys().CheckKeys(Keys(Key(1)).get()), IsOk());
  EXPECT_THAT(keys().CheckKeys(Keys(Key(2)).get()), HasCode(kWrongKey));
  EXPECT_THAT(keys().CheckKeys(nullptr), HasCode(kWrongKey));
}

TEST_F(StoreKeysTest, ARotationChangesNothingThatACallerCanSee) {
  Write(300);
  const std::vector<std::string> before = Visible();
  ASSERT_THAT(keys().Rotate(), IsOkAndHolds(2u));
  EXPECT_EQ(Visible(), before);  // in the middle of it
  AwaitResealer();
  EXPECT_EQ(Visible(), before);
  EXPECT_THAT(Status().data_keys,
              ElementsAre(HasDataKey(1, 0), HasDataKey(2, 300)));
  EXPECT_TRUE(Status().data_keys[1].active);
  EXPECT_EQ(Status().resealer.done, 300u);
  ASSERT_THAT(keys().Retire(1), IsOk());
  EXPECT_THAT(Status().data_keys, ElementsAre(HasDataKey(2, 300)));
  EXPECT_EQ(Visible(), before);
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
  Open(Keys(Key(1)));
  EXPECT_EQ(Visible(), before);

  // What expired meanwhile is swept as ever.
  clock_.Advance(absl::Hours(400));
  EXPECT_THAT(store_->Sweep(), IsOkAndHolds(100));
  EXPECT_THAT(Status().data_keys, ElementsAre(HasDataKey(2, 200)));
}

TEST_F(StoreKeysTest, ARotationOvertakesTheOneBefore) {
  Write(500);
  const std::vector<std::string> before = Visible();
  ASSERT_THAT(keys().Rotate(), IsOkAndHolds(2u));
  ASSERT_THAT(keys().Rotate(), IsOkAndHolds(3u));
  AwaitResealer();
  EXPECT_THAT(
      Status().data_keys,
      ElementsAre(HasDataKey(1, 0), HasDataKey(2, 0), HasDataKey(3, 500)));
  EXPECT_THAT(keys().Retire(2), IsOk());
  EXPECT_THAT(keys().Retire(1), IsOk());
  EXPECT_EQ(Visible(), before);
  // Numbers do not come again.
  EXPECT_THAT(keys().Rotate(), IsOkAndHolds(4u));
}

TEST_F(StoreKeysTest, ARotationGoesOnAfterTheStoreWasClosed) {
  Write(3000);
  const std::vector<std::string> before = Visible();
  ASSERT_THAT(keys().Rotate(), IsOk());
  Open(Keys(Key(1)));
  EXPECT_GT(Status().resealer.left, 0u);
  EXPECT_TRUE(Status().resealer.running);
  AwaitResealer();
  EXPECT_THAT(Status().data_keys,
              ElementsAre(HasDataKey(1, 0), HasDataKey(2, 3000)));
  EXPECT_EQ(Visible(), before);
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
}

TEST_F(StoreKeysTest, ADataKeyIsNotRetiredWhileItIsOfUse) {
  Write(2);
  EXPECT_THAT(keys().Retire(1),
              StatusIs(kInvalid, HasSubstr("statecpp keys rotate")));
  EXPECT_THAT(keys().Retire(2),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("no data key 2: it was retired, or never")));
  Close();
  DamageRecord(path_, StoredPlaces(path_)[0]);
  Open(Keys(Key(1)));
  ASSERT_THAT(keys().Rotate(), IsOk());
  AwaitResealer();
  EXPECT_EQ(Status().resealer.damaged, 1u);
  EXPECT_EQ(Status().resealer.left, 1u);
  EXPECT_FALSE(Status().resealer.running);
  EXPECT_THAT(keys().Retire(1),
              StatusIs(kInvalid, HasSubstr("1 records are still sealed under "
                                           "data key 1")));
  // Once somebody has decided what is to become of it, nothing stands in the
  // way.
  for (const std::string& key : written_) {
    ASSERT_THAT(store_->Set({.key = key, .value = "mended"}), IsOk());
  }
  EXPECT_THAT(keys().Retire(1), IsOk());
  EXPECT_THAT(keys().Retire(1), HasCode(absl::StatusCode::kNotFound));
}

// The accumulator knows nothing of it, but it is there.
TEST_F(StoreKeysTest, ADataKeyIsNotRetiredWhileAPlantedRecordNamesIt) {
  Write(1);
  Close();
  const auto [place, record] = *StoredRecords(path_).begin();
  Plant(path_, LmdbEnvironment::Table::kRecords,
        std::string(1, '\0') + std::string(16, 'x'), record);
  Open(Keys(Key(1)));
  ASSERT_THAT(keys().Rotate(), IsOk());
  AwaitResealer();
  EXPECT_THAT(keys().Retire(1),
              StatusIs(kInvalid, HasSubstr("1 records are still sealed")));
}

TEST_F(StoreKeysTest, APlainStoreHasNoKeysToChange) {
  Close();
  std::filesystem::remove_all(path_);
  Open(nullptr);
  const auto has_none = StatusIs(kInvalid, HasSubstr("is not encrypted"));
  EXPECT_THAT(keys().AddSlot(Key(1)), has_none);
  EXPECT_THAT(keys().RemoveSlot("key-1", *Keys(Key(1))), has_none);
  EXPECT_THAT(keys().Rotate(), has_none);
  EXPECT_THAT(keys().Retire(1), has_none);
  EXPECT_THAT(keys().CheckKeys(Keys(Key(1)).get()), has_none);
  EXPECT_THAT(keys().CheckKeys(nullptr), IsOk());
  Write(2);
  EXPECT_FALSE(Status().sealed);
  EXPECT_THAT(Status().slots, IsEmpty());
  EXPECT_THAT(Status().data_keys, IsEmpty());
  EXPECT_EQ(Status().records, 2u);
}

// Threads that do `work` over and over, from before a test does something until
// after it.
class Workers {
 public:
  Workers(int count, std::function<void(int worker)> work) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, i, work] {
        while (!stop_ && !::testing::Test::HasFailure()) {
          work(i);
          ++rounds_[i];
        }
      });
    }
    for (int i = 0; i < count; ++i) AwaitRounds(i, 1);
  }
  ~Workers() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

  // Until each has begun and ended a round since.
  void AwaitRound() {
    for (size_t i = 0; i < threads_.size(); ++i) AwaitRounds(i, rounds_[i] + 2);
  }

 private:
  static constexpr int kMost = 8;
  void AwaitRounds(size_t i, int rounds) {
    while (rounds_[i] < rounds && !::testing::Test::HasFailure()) {
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int> rounds_[kMost] = {};
  std::vector<std::thread> threads_;
};

// Each key has one writer, so every mismatch would be the rotation's.
TEST_F(StoreKeysTest, WritersWhoCompareETagsNoticeNoRotation) {
  constexpr int kWriters = 4;
  constexpr int kKeys = 300;
  constexpr int kWritesPerRound = 20;
  std::vector<std::map<int, ETag>> etags(kWriters);
  std::vector<int> rounds(kWriters, 0);
  std::atomic<int> writes = 0;
  {
    Workers writers(kWriters, [&](int writer) {
      // All of them first; then here and there, so that most are re-sealed
      // before they are written again.
      const bool first = rounds[writer]++ == 0;
      for (int n = 0; n < (first ? kKeys : kWritesPerRound); ++n) {
        const int i = first ? n : (rounds[writer] * 7 + n * 37) % kKeys;
        const std::string key = absl::StrCat("cas||", writer, "||", i);
        const auto known = etags[writer].find(i);
        const absl::StatusOr<ETag> etag = store_->Set(
            {.key = key,
             .value = std::string(i * 8, 'c'),
             .precondition = known == etags[writer].end()
                                 ? Precondition::Absent()
                                 : Precondition::Match(known->second)});
        ASSERT_THAT(etag, IsOk());
        const auto item = store_->Get(key);
        ASSERT_THAT(item, IsOk());
        ASSERT_EQ((*item)->etag, *etag);
        if (i % 10 == 9) {
          ASSERT_THAT(
              store_->Delete(
                  {.key = key, .precondition = Precondition::Match(*etag)}),
              IsOk());
          etags[writer].erase(i);
        } else {
          etags[writer].insert_or_assign(i, *etag);
        }
        ++writes;
      }
    });
    for (uint32_t id = 2; id <= 5; ++id) {
      ASSERT_THAT(keys().Rotate(), IsOkAndHolds(id));
      writers.AwaitRound();
      AwaitResealer();
      EXPECT_EQ(Status().resealer.left, 0u);
      ASSERT_THAT(keys().Retire(id - 1), IsOk());
    }
  }
  EXPECT_GT(writes, kWriters * (kKeys + 8 * kWritesPerRound));
  EXPECT_THAT(Status().data_keys, SizeIs(1));
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
}

TEST_F(StoreKeysTest, ReadersNoticeNoRetirement) {
  Write(200);
  const std::vector<absl::string_view> all(written_.begin(), written_.end());
  std::atomic<int> reads = 0;
  {
    Workers readers(4, [&](int reader) {
      if (reader % 2 == 0) {
        const auto items = store_->BulkGet(all);
        ASSERT_THAT(items, IsOk());
        for (const auto& item : *items) {
          ASSERT_THAT(item, IsOk());
          ASSERT_TRUE(item->has_value());
        }
      } else {
        for (const absl::string_view key : all) {
          const auto item = store_->Get(key);
          ASSERT_THAT(item, IsOk());
          ASSERT_TRUE(item->has_value());
        }
      }
      ++reads;
    });
    for (uint32_t id = 2; id <= 12; ++id) {
      ASSERT_THAT(keys().Rotate(), IsOkAndHolds(id));
      AwaitResealer();
      ASSERT_THAT(keys().Retire(id - 1), IsOk());
      readers.AwaitRound();
    }
  }
  EXPECT_GT(reads, 4 * 11);
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
}

TEST_F(StoreKeysTest, ManyMayChangeKeysAtOnce) {
  Write(100);
  std::atomic<uint8_t> number = 10;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        if (i == 0) {
          EXPECT_THAT(keys().Rotate(), IsOk());
          continue;
        }
        const uint8_t n = number++;
        ASSERT_THAT(keys().AddSlot(Key(n)), IsOk());
        EXPECT_THAT(keys().CheckKeys(Keys(Key(n)).get()), IsOk());
        EXPECT_THAT(keys().RemoveSlot(absl::StrCat("key-", n), *Keys(Key(1))),
                    IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  AwaitResealer();
  EXPECT_THAT(Status().slots, ElementsAre(SlotNamed("key-1")));
  EXPECT_THAT(Status().data_keys, SizeIs(11));
  EXPECT_THAT(Status().data_keys.back(), HasDataKey(11, 100));
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
  Open(Keys(Key(1)));
}

}  // namespace
}  // namespace statecpp
