// SPDX-License-Identifier: Apache-2.0
//
// What a copy keeps, what it refuses, and what it leaves behind.
#include "engine/store_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "crypto/random.h"
#include "engine/closed_store.h"
#include "engine/lmdb_environment.h"
#include "engine/record.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/copied_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Step = CopyOptions::Step;
using Table = LmdbEnvironment::Table;

class CopyFixture : public ::testing::Test {
 protected:
  std::unique_ptr<Store> Open(std::shared_ptr<const MasterKeys> keys) {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = path_,
                     .keys = std::move(keys),
                     .cleanup_interval = absl::ZeroDuration(),
                     .clock = &clock_});
    EXPECT_THAT(store, IsOk());
    return store.ok() ? *std::move(store) : nullptr;
  }

  // Items of every size and kind, some written more than once, some deleted
  // again. Returns what is left.
  Items Fill(Store& store) {
    constexpr size_t kSizes[] = {0,    1,      30,      900,      1024,
                                 1025, 30'000, 300'000, 5'000'000};
    std::vector<std::string> keys;
    for (int i = 0; i < 200; ++i) {
      WriteOp op = {
          .key = absl::StrCat("app||", i % 3, "||", i % 7, "||key", i),
          .value = std::string(i < 9 ? kSizes[i] : kSizes[i % 6],
                               static_cast<char>('a' + i % 26)),
          .content_type = i % 2 == 0 ? "" : "application/json"};
      if (i % 4 == 0) op.ttl = absl::Seconds(100 + i);
      if (i % 10 == 1) op.key = absl::StrCat(i, std::string(1000, 'k'));
      keys.push_back(op.key);
      EXPECT_THAT(store.Set(op), IsOk());
      // Leaves an expiry entry that leads to nothing new.
      if (i % 8 == 0) {
        EXPECT_THAT(store.Set(op), IsOk());
      }
    }
    for (int i = 0; i < 50; ++i) {
      EXPECT_THAT(store.Delete({.key = keys.back()}), IsOk());
      keys.pop_back();
    }
    return ReadItems(store, keys);
  }

  CopyOptions OptionsFor(CopyKind kind) {
    return {.path = path_,
            .keys = KeysAfter(kind),
            .walker = {"engine/store_walker"},
            .clock = &clock_};
  }

  void WriteRecord(absl::string_view key, absl::string_view value) {
    const auto environment =
        LmdbEnvironment::Open(path_, uint64_t{64} << 20, nullptr).value();
    LmdbEnvironment::WriteTransaction txn = environment->BeginWrite().value();
    EXPECT_THAT(value.empty() ? txn.Delete(Table::kRecords, key)
                              : txn.Put(Table::kRecords, key, value),
                IsOk());
    EXPECT_THAT(txn.Commit(), IsOk());
  }

  // Some record as it stands.
  std::pair<std::string, std::string> AnyRecord() {
    const auto environment =
        LmdbEnvironment::Open(path_, uint64_t{64} << 20, nullptr).value();
    std::pair<std::string, std::string> record;
    EXPECT_THAT(environment->BeginRead()->Scan(
                    Table::kRecords, "",
                    [&](absl::string_view key, absl::string_view value) {
                      record = {std::string(key), std::string(value)};
                      return false;
                    }),
                IsOk());
    return record;
  }

  MemoryDir dir_;
  const std::string path_ = dir_.Path("store");
  FakeClock clock_;
};

class StoreCopyTest : public CopyFixture,
                      public ::testing::WithParamInterface<CopyKind> {
 protected:
  absl::StatusOr<CopyReport> Copy(CopyOptions options) {
    return statecpp::Copy(GetParam(), options);
  }
  absl::StatusOr<CopyReport> Copy() { return Copy(OptionsFor(GetParam())); }
  std::unique_ptr<Store> OpenBefore() { return Open(KeysBefore(GetParam())); }
  std::unique_ptr<Store> OpenAfter() { return Open(KeysAfter(GetParam())); }

  // Nothing but the store is there, and its data as before.
  void ExpectUntouched(const std::string& data_before) {
    EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("store"));
    EXPECT_TRUE(BytesOf(path_ + "/data.mdb") == data_before);
  }
};

INSTANTIATE_TEST_SUITE_P(All, StoreCopyTest,
                         ::testing::Values(CopyKind::kCompactPlain,
                                           CopyKind::kCompactSealed,
                                           CopyKind::kEncrypt),
                         [](const auto& info) { return NameOf(info.param); });

TEST_P(StoreCopyTest, KeepsEveryItemWithItsETagExpiryAndContentType) {
  const Items items = Fill(*OpenBefore());
  const absl::StatusOr<CopyReport> report = Copy();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->records, items.size());
  EXPECT_THAT(report->removed, IsOk());
  EXPECT_EQ(report->bytes_after, fs::file_size(path_ + "/data.mdb"));
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("store"));
  EXPECT_THAT(NamesIn(path_), ElementsAre("LOCK", "data.mdb", "lock.mdb"));

  const std::unique_ptr<Store> store = OpenAfter();
  ExpectItems(*store, items);
  // A client that read before writes after.
  const auto& [key, item] = *items.begin();
  EXPECT_THAT(store->Set({.key = key,
                          .value = "new",
                          .precondition = Precondition::Match(item.etag)}),
              IsOk());
}

TEST_P(StoreCopyTest, ItemsExpireAndAreSweptAsTheyWouldHave) {
  const Items items = Fill(*OpenBefore());
  ASSERT_THAT(Copy(), IsOk());
  const std::unique_ptr<Store> store = OpenAfter();
  clock_.Advance(absl::Seconds(160));
  int64_t expired = 0;
  for (const auto& [key, item] : items) {
    const bool is_expired =
        item.expires.has_value() && *item.expires <= clock_.Now();
    expired += is_expired;
    EXPECT_EQ(store->Get(key)->has_value(), !is_expired) << key;
  }
  EXPECT_GT(expired, 5);
  // The index is due some time after the expiry.
  clock_.Advance(absl::Seconds(300));
  const absl::StatusOr<int64_t> swept = store->Sweep();
  ASSERT_THAT(swept, IsOk());
  EXPECT_GE(*swept, expired);
  clock_.Advance(absl::Hours(1));
  ASSERT_THAT(store->Sweep(), IsOk());
  uint64_t lasting = 0;
  for (const auto& [key, item] : items) lasting += !item.expires.has_value();
  EXPECT_EQ(store->GetStats()->records, lasting);
}

// A copy of the same store has the same index. A sealed one has an entry for
// each record that expires, and none of records that were written again.
TEST_P(StoreCopyTest, TheExpiryIndexLeadsToWhatExpires) {
  const Items items = Fill(*OpenBefore());
  const auto count_entries = [&](const MasterKeys* keys) {
    const auto store = ClosedStore::Open(path_, keys, nullptr).value();
    int count = 0;
    EXPECT_THAT(store->Scan(Table::kExpiry,
                            [&](absl::string_view, absl::string_view) {
                              ++count;
                              return absl::OkStatus();
                            }),
                IsOk());
    return count;
  };
  const int before = count_entries(KeysBefore(GetParam()).get());
  ASSERT_THAT(Copy(), IsOk());
  int expiring = 0;
  for (const auto& [key, item] : items) expiring += item.expires.has_value();
  EXPECT_GT(before, expiring);
  EXPECT_EQ(count_entries(KeysAfter(GetParam()).get()),
            GetParam() == CopyKind::kEncrypt ? expiring : before);
}

TEST_P(StoreCopyTest, AnEmptyStoreIsCopied) {
  OpenBefore();
  EXPECT_THAT(Copy(), IsOk());
  const std::unique_ptr<Store> store = OpenAfter();
  ExpectItems(*store, {});
  EXPECT_THAT(store->Set({.key = "a", .value = "1"}), IsOk());
}

TEST_P(StoreCopyTest, GoesOnCountingFromWhereTheStoreStood) {
  for (int i = 0; i < 3; ++i) Fill(*OpenBefore());
  clock_.Advance(absl::Hours(5));
  // So that five hours have passed for certain.
  ASSERT_THAT(OpenBefore()->Set({.key = "late", .value = "1"}), IsOk());
  const auto accumulator = [&](std::shared_ptr<const MasterKeys> keys) {
    return ClosedStore::Open(path_, keys.get(), nullptr).value()->accumulator();
  };
  const Accumulator before = accumulator(KeysBefore(GetParam()));
  EXPECT_EQ(before.open_count(), 4u);
  ASSERT_THAT(Copy(), IsOk());
  const Accumulator after = accumulator(KeysAfter(GetParam()));
  EXPECT_EQ(after.open_count(), before.open_count());
  EXPECT_EQ(after.high_water_ms(), before.high_water_ms());
  EXPECT_GE(after.commit_seq(), before.commit_seq());
  EXPECT_LE(after.commit_seq(), before.commit_seq() + 1);
}

TEST_P(StoreCopyTest, MorePlacesThanFitInMemoryComeToTheSame) {
  const Items items = Fill(*OpenBefore());
  CopyOptions options = OptionsFor(GetParam());
  options.places_in_memory = 7;
  ASSERT_THAT(Copy(options), IsOk());
  const std::unique_ptr<Store> store = OpenAfter();
  ExpectItems(*store, items);
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(store->Sweep(), IsOkAndHolds(::testing::Gt(20)));
}

TEST_P(StoreCopyTest, FillsItsPages) {
  constexpr uint64_t kCount = 5000;
  constexpr uint64_t kSize = 400;
  {
    const std::unique_ptr<Store> store = OpenBefore();
    std::vector<WriteOp> ops;
    for (uint64_t i = 0; i < 2 * kCount; ++i) {
      ops.push_back(
          {.key = absl::StrCat("k", i), .value = std::string(kSize, 'v')});
    }
    ASSERT_THAT(store->Transact(std::move(ops)), IsOk());
    ops.clear();
    for (uint64_t i = 0; i < kCount; ++i) {
      ops.push_back(
          {.kind = WriteOp::Kind::kDelete, .key = absl::StrCat("k", 2 * i)});
    }
    ASSERT_THAT(store->Transact(std::move(ops)), IsOk());
  }
  const absl::StatusOr<CopyReport> report = Copy();
  ASSERT_THAT(report, IsOk());
  EXPECT_LT(report->bytes_after, report->bytes_before / 2);
  // A record's own 78 bytes, its place and its node beside the value.
  EXPECT_LT(report->bytes_after, kCount * (kSize + 130) * 11 / 10);
}

TEST_P(StoreCopyTest, ADamagedStoreIsRefusedAndLeftAsItIs) {
  Fill(*OpenBefore());
  auto [place, record] = AnyRecord();
  record[50] ^= 1;
  WriteRecord(place, record);
  const std::string before = BytesOf(path_ + "/data.mdb");
  EXPECT_THAT(Copy(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(path_), HasSubstr("tag does not"),
                             HasSubstr("statecpp verify"),
                             HasSubstr("nothing was changed"))));
  ExpectUntouched(before);
}

// Whoever looks first finds it, and so does the walk that copies.
TEST_P(StoreCopyTest, AStoreThatLostARecordBehindItsBackIsRefused) {
  Fill(*OpenBefore());
  WriteRecord(AnyRecord().first, "");
  const std::string before = BytesOf(path_ + "/data.mdb");
  CopyOptions options = OptionsFor(GetParam());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Copy(options),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr("1 of 150 are missing"),
                               HasSubstr("nothing was changed"))));
    ExpectUntouched(before);
    options.walker = {};
  }
}

TEST_P(StoreCopyTest, ARecordAtThePlaceOfAnotherKeyIsRefused) {
  Fill(*OpenBefore());
  const std::string place = AnyRecord().first;
  WriteRecord(
      place,
      SealRecord(ClosedStore::Open(path_, KeysBefore(GetParam()).get(), nullptr)
                     .value()
                     ->keyring(),
                 SystemRandom(), place,
                 {.version = 1,
                  .expires_ms = 0,
                  .key = "another",
                  .content_type = "",
                  .value = ""}));
  CopyOptions options = OptionsFor(GetParam());
  options.walker = {};
  EXPECT_THAT(Copy(options), StatusIs(absl::StatusCode::kDataLoss,
                                      HasSubstr("its key belongs elsewhere")));
}

// LMDB would follow them wherever they lead.
TEST_P(StoreCopyTest, StructuresThatAreDamagedAreNotFollowed) {
  Fill(*OpenBefore());
  const std::string file = path_ + "/data.mdb";
  const int fd = open(file.c_str(), O_WRONLY);
  constexpr off_t kPage = 4096;
  constexpr off_t kBoundsOfPage = 12;
  for (off_t page = 2; page < 40; ++page) {
    ASSERT_EQ(pwrite(fd, "\xf0\xff\xf0\xff", 4, page * kPage + kBoundsOfPage),
              4);
  }
  close(fd);
  const std::string before = BytesOf(file);
  EXPECT_THAT(Copy(), StatusIs(absl::StatusCode::kDataLoss,
                               AllOf(HasSubstr("is damaged and was not copied"),
                                     HasSubstr("nothing was changed"))));
  ExpectUntouched(before);
}

// What was written is not taken for what can be read.
TEST_P(StoreCopyTest, ACopyThatWentBadDoesNotTakeThePlace) {
  {
    const std::unique_ptr<Store> store = OpenBefore();
    // They take nearly all of the file.
    for (const char* key : {"a", "b", "c"}) {
      ASSERT_THAT(
          store->Set({.key = key, .value = std::string(5'000'000, 'v')}),
          IsOk());
    }
  }
  const std::string before = BytesOf(path_ + "/data.mdb");
  CopyOptions options = OptionsFor(GetParam());
  options.on_progress = [&](Step step, uint64_t done, uint64_t total) {
    if (step == Step::kCheck && done < total) {
      for (const std::string& name : NamesIn(dir_.path())) {
        const std::string file = dir_.Path(name) + "/data.mdb";
        if (name == "store") continue;
        const int fd = open(file.c_str(), O_WRONLY);
        for (const off_t at : {3'000'000, 8'000'000, 13'000'000}) {
          EXPECT_EQ(pwrite(fd, "bad", 3, at), 3);
        }
        close(fd);
      }
    }
    return true;
  };
  EXPECT_THAT(Copy(options),
              StatusIs(absl::StatusCode::kInternal,
                       AllOf(HasSubstr("not what it was made of"),
                             HasSubstr("nothing was changed"))));
  ExpectUntouched(before);
}

TEST_P(StoreCopyTest, MayBeStoppedInEveryStepAndChangesNothing) {
  Fill(*OpenBefore());
  const std::string before = BytesOf(path_ + "/data.mdb");
  std::set<Step> steps;
  CopyOptions options = OptionsFor(GetParam());
  options.on_progress = [&](Step step, uint64_t done, uint64_t total) {
    if (step != Step::kLook) {
      EXPECT_LE(done, total);
      EXPECT_EQ(total, 150u);
    }
    return !steps.insert(step).second;
  };
  const size_t count = GetParam() == CopyKind::kEncrypt ? 4 : 3;
  for (size_t i = 1; i <= count; ++i) {
    EXPECT_THAT(Copy(options),
                StatusIs(absl::StatusCode::kCancelled,
                         AllOf(HasSubstr("interrupted"),
                               HasSubstr("nothing was changed"))));
    EXPECT_EQ(steps.size(), i);
    ExpectUntouched(before);
  }
  EXPECT_THAT(Copy(options), IsOk());
}

TEST_P(StoreCopyTest, AStoreThatIsOpenIsRefused) {
  const std::unique_ptr<Store> store = OpenBefore();
  EXPECT_THAT(Copy(), StatusIs(absl::StatusCode::kUnavailable,
                               HasSubstr(absl::StrCat("pid ", getpid()))));
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("store"));
}

TEST_P(StoreCopyTest, NobodyOpensTheStoreMeanwhile) {
  Fill(*OpenBefore());
  CopyOptions options = OptionsFor(GetParam());
  int asked = 0;
  options.on_progress = [&](Step, uint64_t, uint64_t) {
    EXPECT_THAT(Store::Open({.path = path_, .keys = KeysBefore(GetParam())}),
                HasCode(absl::StatusCode::kUnavailable));
    ++asked;
    return true;
  };
  EXPECT_THAT(Copy(options), IsOk());
  EXPECT_GE(asked, 2);
}

TEST_P(StoreCopyTest, WhereThereIsNoStoreNoneIsMade) {
  EXPECT_THAT(Copy(), StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
  ASSERT_TRUE(fs::create_directory(path_));
  EXPECT_THAT(Copy(), HasCode(absl::StatusCode::kNotFound));
  EXPECT_TRUE(fs::is_empty(path_));
}

TEST_P(StoreCopyTest, ALinkToTheStoreStaysALink) {
  const Items items = Fill(*OpenBefore());
  ASSERT_TRUE(fs::create_directory(dir_.Path("elsewhere")));
  fs::rename(path_, dir_.Path("elsewhere/real"));
  fs::create_directory_symlink("elsewhere/real", path_);
  ASSERT_THAT(Copy(), IsOk());
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("elsewhere", "store"));
  EXPECT_THAT(NamesIn(dir_.Path("elsewhere")), ElementsAre("real"));
  ExpectItems(*OpenAfter(), items);
}

TEST_P(StoreCopyTest, BelongsToWhomTheStoreBelonged) {
  Fill(*OpenBefore());
  constexpr uid_t kNobody = 65534;
  const uid_t owner = geteuid() == 0 ? kNobody : geteuid();
  for (const char* name : {"", "/LOCK", "/data.mdb", "/lock.mdb"}) {
    const std::string file = path_ + name;
    ASSERT_EQ(chmod(file.c_str(), *name == '\0' ? 0750 : 0640), 0);
    ASSERT_EQ(chown(file.c_str(), owner, owner), 0);
  }
  ASSERT_THAT(Copy(), IsOk());
  for (const char* name : {"", "/LOCK", "/data.mdb", "/lock.mdb"}) {
    struct stat found;
    ASSERT_EQ(stat((path_ + name).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777, *name == '\0' ? 0750 : 0640) << name;
    EXPECT_EQ(found.st_uid, owner) << name;
    EXPECT_EQ(found.st_gid, owner) << name;
  }
}

// --- Keys.

using StoreCopyKeysTest = CopyFixture;

std::shared_ptr<const MasterKeys> OtherKeys() {
  auto keys = std::make_shared<MasterKeys>();
  keys->push_back(MasterKey::FromKey("other", Secret::Random()));
  return keys;
}

TEST_F(StoreCopyKeysTest, ASealedStoreIsNotSealedTwice) {
  const Items items = Fill(*Open(NewTestKeys()));
  EXPECT_THAT(EncryptStore(OptionsFor(CopyKind::kEncrypt)),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       AllOf(HasSubstr("sealed already, for: test"),
                             HasSubstr("nothing was changed"))));
  // A script that asks for another key is not told that all is well.
  EXPECT_THAT(EncryptStore({.path = path_, .keys = OtherKeys()}),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       AllOf(HasSubstr("test"), HasSubstr("other"))));
  ExpectItems(*Open(NewTestKeys()), items);
}

TEST_F(StoreCopyKeysTest, WithoutAKeyNothingIsSealed) {
  const Items items = Fill(*Open(nullptr));
  EXPECT_THAT(EncryptStore({.path = path_}),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       AllOf(HasSubstr("statecpp keygen"),
                             HasSubstr("nothing was changed"))));
  ExpectItems(*Open(nullptr), items);
}

TEST_F(StoreCopyKeysTest, ASealedStoreIsCompactedByWhoHasItsKey) {
  Fill(*Open(NewTestKeys()));
  EXPECT_THAT(CompactStore({.path = path_}),
              HasCode(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(CompactStore({.path = path_, .keys = OtherKeys()}),
              HasCode(absl::StatusCode::kPermissionDenied));
}

// A key that is configured for other stores is no reason to refuse.
TEST_F(StoreCopyKeysTest, APlainStoreIsCompactedWithAKeyAtHand) {
  const Items items = Fill(*Open(nullptr));
  EXPECT_THAT(CompactStore({.path = path_, .keys = NewTestKeys()}), IsOk());
  ExpectItems(*Open(nullptr), items);
}

TEST_F(StoreCopyKeysTest, AFreshlySealedStoreIsOfThatKeyAlone) {
  Fill(*Open(nullptr));
  ASSERT_THAT(EncryptStore(OptionsFor(CopyKind::kEncrypt)), IsOk());
  for (const auto& keys : {OtherKeys(), std::shared_ptr<const MasterKeys>()}) {
    EXPECT_THAT(Store::Open({.path = path_, .keys = keys}),
                HasCode(absl::StatusCode::kPermissionDenied));
  }
}

}  // namespace
}  // namespace statecpp
