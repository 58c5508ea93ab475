// SPDX-License-Identifier: Apache-2.0
//
// What a backup keeps, what it refuses, and how it goes on.
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/backup.h"
#include "engine/error_payload.h"
#include "engine/store.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/copied_store.h"
#include "tests/support/damaged_store.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/limit_of_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Step = BackupRequest::Step;
using Progress = BackupRequest::Progress;

class StoreBackupTest : public DamagedStoreTest {
 protected:
  static constexpr int kItems = 9000;  // more than two slices

  // Items of every kind, some written twice, some deleted again.
  Items Fill() {
    std::vector<WriteOp> ops;
    std::vector<std::string> keys;
    for (int i = 0; i < kItems; ++i) {
      WriteOp op = {.key = absl::StrCat("app||", i % 7, "||", i),
                    .value = std::string(i % 50 == 0 ? 5000 : i % 90, 'v'),
                    .content_type = i % 2 == 0 ? "" : "text/plain"};
      if (i % 4 == 0) op.ttl = absl::Seconds(100 + i);
      ops.push_back(std::move(op));
      keys.push_back(ops.back().key);
    }
    ops[1].value = std::string(4'000'000, 'w');
    EXPECT_THAT(store().Transact(std::move(ops)), IsOk());
    for (int i = 0; i < 10; ++i) {
      EXPECT_THAT(store().Delete({.key = keys.back()}), IsOk());
      keys.pop_back();
    }
    return ReadItems(store(), keys);
  }

  absl::StatusOr<BackupReport> Backup(
      std::function<bool(const Progress&)> on_progress = nullptr,
      size_t note_bytes = BackupRequest().note_bytes) {
    return store().Backup({.path = backup_,
                           .on_progress = std::move(on_progress),
                           .note_bytes = note_bytes});
  }

  // `act` is called once, when the first slice is written.
  static std::function<bool(const Progress&)> Meanwhile(
      std::function<void()> act) {
    return [act = std::move(act), done = false](const Progress& told) mutable {
      if (told.done > 0 && !std::exchange(done, true)) act();
      return true;
    };
  }
  static bool StopAfterASlice(const Progress& told) { return told.done == 0; }

  Options OptionsOf(const std::string& path) {
    return {.path = path,
            .create = false,
            .keys = TestKeys(),
            .cleanup_interval = absl::ZeroDuration(),
            .clock = &clock_};
  }

  void ExpectBackupOf(const Items& items) {
    const auto backup = Store::Open(OptionsOf(backup_));
    ASSERT_THAT(backup, IsOk());
    ExpectItems(**backup, items);
  }

  const std::string backup_ = dir_.Path("backup");
  const std::string partial_ = dir_.Path("backup.partial");
};

TEST_F(StoreBackupTest, IsTheStoreToItsLastItem) {
  const Items items = Fill();
  const uint64_t commit_seq = store().GetStats()->commit_seq;
  const absl::StatusOr<BackupReport> report = Backup();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->records, items.size());
  EXPECT_EQ(report->copied, items.size());
  EXPECT_EQ(report->commit_seq, commit_seq);
  EXPECT_EQ(report->bytes, fs::file_size(backup_ + "/data.mdb"));
  EXPECT_FALSE(report->resumed);
  EXPECT_EQ(report->rescans, 0u);
  EXPECT_EQ(report->slowed, absl::ZeroDuration());
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("backup", "store"));
  EXPECT_THAT(NamesIn(backup_), ElementsAre("LOCK", "data.mdb", "lock.mdb"));
  ExpectBackupOf(items);
  ExpectItems(store(), items);
}

TEST_F(StoreBackupTest, OfAnEmptyStoreIsOne) {
  ASSERT_THAT(Backup(), IsOk());
  ExpectBackupOf({});
}

TEST_F(StoreBackupTest, HasWhatWasWrittenMeanwhile) {
  Items items = Fill();
  const absl::StatusOr<BackupReport> report = Backup(Meanwhile([&] {
    for (int i = 0; i < kItems; i += 100) {
      const std::string key = absl::StrCat("app||", i % 7, "||", i);
      EXPECT_THAT(store().Set({.key = key, .value = "new"}), IsOk());
      items[key] = **store().Get(key);
    }
    for (int i = 50; i < kItems - 100; i += 100) {
      const std::string key = absl::StrCat("app||", i % 7, "||", i);
      EXPECT_THAT(store().Delete({.key = key}), IsOk());
      items.erase(key);
    }
  }));
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->commit_seq, store().GetStats()->commit_seq);
  ExpectBackupOf(items);
}

TEST_F(StoreBackupTest, ComparesAllKeysAgainWhenTooManyChangedToBeNoted) {
  Items items = Fill();
  const absl::StatusOr<BackupReport> report = Backup(
      Meanwhile([&] {
        std::vector<WriteOp> ops;
        for (int i = 0; i < 1000; ++i) {
          ops.push_back(
              {.key = absl::StrCat("app||", i % 7, "||", i), .value = "new"});
        }
        EXPECT_THAT(store().Transact(std::move(ops)), IsOk());
        for (int i = 0; i < 1000; ++i) {
          const std::string key = absl::StrCat("app||", i % 7, "||", i);
          items[key] = **store().Get(key);
        }
        const std::string gone = absl::StrCat("app||", 1001 % 7, "||1001");
        EXPECT_THAT(store().Delete({.key = gone}), IsOk());
        items.erase(gone);
      }),
      /*note_bytes=*/1000);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->rescans, 1u);
  // What had not changed was there.
  EXPECT_LE(report->copied, items.size() + 1000);
  ExpectBackupOf(items);
}

TEST_F(StoreBackupTest, SlowsWritesThatItDoesNotKeepUpWith) {
  Items items = Fill();
  absl::Duration slowed;
  const absl::StatusOr<BackupReport> report = Backup([&](const Progress& told) {
    slowed = told.slowed;
    if (told.step == Step::kCheck || told.slowed > absl::ZeroDuration()) {
      return true;
    }
    // More than the last slice takes.
    for (int i = 0; i < 6; ++i) {
      const std::string key = absl::StrCat("large", i);
      EXPECT_THAT(
          store().Set({.key = key, .value = std::string(4'000'000, 'v')}),
          IsOk());
      items[key] = **store().Get(key);
    }
    return true;
  });
  ASSERT_THAT(report, IsOk());
  EXPECT_GT(slowed, absl::ZeroDuration());
  EXPECT_EQ(report->slowed, slowed);
  EXPECT_GE(report->rounds, 4u);
  ExpectBackupOf(items);
}

TEST_F(StoreBackupTest, DoesNotLetTheStoresFileGrowWhileItStandsStill) {
  Fill();
  // 400 times a megabyte, of which four are kept.
  const auto overwrite = [&] {
    for (int i = 0; i < 400; ++i) {
      EXPECT_THAT(store().Set({.key = absl::StrCat("large", i % 4),
                               .value = std::string(1'000'000, 'v')}),
                  IsOk());
    }
  };
  overwrite();
  const uint64_t before = fs::file_size(path_ + "/data.mdb");
  ASSERT_THAT(Backup(Meanwhile(overwrite)), IsOk());
  EXPECT_LE(fs::file_size(path_ + "/data.mdb"), before + (8 << 20));
}

TEST_F(StoreBackupTest, HasTheKeysOfItsMoment) {
  const Items items = Fill();
  const absl::StatusOr<BackupReport> report = Backup(Meanwhile([&] {
    // A plain store has no data key to rotate, and its backup has none either.
    if (!TestsAreSealed()) return;
    ASSERT_THAT(store().keys().Rotate(), IsOk());
    ASSERT_TRUE(store().keys().WaitForResealer(absl::Minutes(1)));
    ASSERT_THAT(store().keys().Retire(1), IsOk());
  }));
  ASSERT_THAT(report, IsOk());
  ExpectBackupOf(items);
  const auto backup = Store::Open(OptionsOf(backup_)).value();
  EXPECT_EQ(backup->keys().GetStatus()->data_keys.size(),
            TestsAreSealed() ? 1u : 0u);
  EXPECT_EQ(backup->keys().GetStatus()->sealed, TestsAreSealed());
}

TEST_F(StoreBackupTest, HoldsNoKeyWhileItCopiesWhatChangedMeanwhile) {
  Items items = Fill();
  bool changed = false;
  bool followed = false;
  const absl::StatusOr<BackupReport> report = Backup([&](const Progress& told) {
    // More than the last slice takes, so that a round comes before it.
    if (told.step == Step::kCopy && told.done > 0 &&
        !std::exchange(changed, true)) {
      for (int i = 0; i < 6; ++i) {
        const std::string key = absl::StrCat("large", i);
        EXPECT_THAT(
            store().Set({.key = key, .value = std::string(4'000'000, 'v')}),
            IsOk());
        items[key] = **store().Get(key);
      }
    }
    if (told.step == Step::kFollow && !std::exchange(followed, true) &&
        TestsAreSealed()) {
      EXPECT_THAT(store().keys().Rotate(), IsOk());
      EXPECT_TRUE(store().keys().WaitForResealer(absl::Minutes(1)));
      EXPECT_THAT(store().keys().Retire(1), IsOk());
    }
    return true;
  });
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(followed);
  ExpectBackupOf(items);
  const auto backup = Store::Open(OptionsOf(backup_)).value();
  EXPECT_EQ(backup->keys().GetStatus()->data_keys.size(),
            TestsAreSealed() ? 1u : 0u);
}

TEST_F(StoreBackupTest, GoesOnFromAnInterruptedOne) {
  Items items = Fill();
  ASSERT_THAT(Backup(StopAfterASlice),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("interrupted")));
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("backup.partial", "store"));
  // Some of what is there by now is no longer right.
  for (int i = 0; i < 300; ++i) {
    const std::string key = absl::StrCat("app||", i % 7, "||", i);
    if (i % 3 == 0) {
      EXPECT_THAT(store().Delete({.key = key}), IsOk());
      items.erase(key);
    } else {
      EXPECT_THAT(store().Set({.key = key, .value = "new"}), IsOk());
      items[key] = **store().Get(key);
    }
  }
  const absl::StatusOr<BackupReport> report = Backup();
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->resumed);
  // A slice of 4,096, or fewer on a slow machine, but for what changed.
  EXPECT_LT(report->copied, items.size());
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("backup", "store"));
  ExpectBackupOf(items);
}

// A header in a page that is not used any more would open with a key that the
// store let go of before the backup's moment.
TEST_F(StoreBackupTest, HoldsNoHeaderButThatOfItsMoment) {
  Fill();
  const std::string former = ReadTable(Table::kMeta).at("header");
  Open();
  ASSERT_THAT(Backup(Meanwhile([&] {
                if (!TestsAreSealed()) return;
                ASSERT_THAT(store().keys().Rotate(), IsOk());
              })),
              IsOk());
  const std::string header = ReadTable(Table::kMeta).at("header");
  EXPECT_EQ(header == former, !TestsAreSealed());
  const std::string bytes = BytesOf(backup_ + "/data.mdb");
  EXPECT_NE(bytes.find(header), std::string::npos);
  if (TestsAreSealed()) {
    EXPECT_EQ(bytes.find(former), std::string::npos);
  }
}

TEST_F(StoreBackupTest, GoesOnAfterTheStoreWasClosed) {
  const Items items = Fill();
  ASSERT_THAT(Backup(StopAfterASlice),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("interrupted")));
  Open();
  const absl::StatusOr<BackupReport> report = Backup();
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->resumed);
  EXPECT_LT(report->copied, items.size());
  ExpectBackupOf(items);
}

TEST_F(StoreBackupTest, IsNoStoreBeforeItIsWhole) {
  Fill();
  ASSERT_THAT(Backup(StopAfterASlice),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("interrupted")));
  EXPECT_THAT(Store::Open(OptionsOf(partial_)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("missing")));
  // Not even when all is there, which is not proved yet.
  ASSERT_THAT(
      Backup([](const Progress& told) { return told.step != Step::kCheck; }),
      StatusIs(absl::StatusCode::kCancelled, HasSubstr("interrupted")));
  EXPECT_THAT(Store::Open(OptionsOf(partial_)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("accumulator")));
}

TEST_F(StoreBackupTest, BeginsAnewWhereAPowerCutLeftNoFile) {
  const Items items = Fill();
  ASSERT_TRUE(fs::create_directory(partial_));
  fs::permissions(partial_, fs::perms::owner_all);
  std::ofstream(partial_ + "/data.mdb") << std::string(8192, '\0');
  const absl::StatusOr<BackupReport> report = Backup();
  ASSERT_THAT(report, IsOk());
  EXPECT_FALSE(report->resumed);
  ExpectBackupOf(items);
}

TEST_F(StoreBackupTest, SaysThatItsDiskFailedAndNotThatTheStoreDid) {
  const Items items = Fill();
  {
    std::optional<FileSizeLimit> limit;
    EXPECT_THAT(Backup([&limit](const Progress& told) {
                  if (told.done > 0 && !limit.has_value()) limit.emplace(65536);
                  return true;
                }),
                StatusIs(absl::StatusCode::kUnknown,
                         AllOf(HasSubstr("could not be written: "),
                               HasSubstr("the store is as it was"),
                               Not(HasSubstr("opened again")))));
  }
  EXPECT_FALSE(fs::exists(backup_));
  ExpectItems(store(), items);
  fs::remove_all(partial_);
  ASSERT_THAT(Backup(), IsOk());
  ExpectBackupOf(items);
}

TEST_F(StoreBackupTest, IsKeptWhereItCannotBeReadBackJustNow) {
  const Items items = Fill();
  {
    // Of files that this process may open, from the last slice on.
    std::optional<LimitOfFiles> limit;
    EXPECT_THAT(Backup([&limit](const Progress& told) {
                  if (told.done > 0 && told.done == told.total) limit.emplace();
                  return true;
                }),
                StatusIs(absl::StatusCode::kInternal,
                         AllOf(HasSubstr("could not be read back"),
                               HasSubstr("goes on from there"))));
  }
  const absl::StatusOr<BackupReport> report = Backup();
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->resumed);
  EXPECT_EQ(report->copied, 0u);
  ExpectBackupOf(items);
}

TEST_F(StoreBackupTest, OfAnotherStoreIsNotGoneOnWith) {
  Fill();
  ASSERT_THAT(Backup(StopAfterASlice),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("interrupted")));
  Options other = OptionsOf(dir_.Path("other"));
  other.create = true;
  const auto store = Store::Open(other).value();
  EXPECT_THAT(store->Backup({.path = backup_}),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       HasSubstr("of another store")));
}

TEST_F(StoreBackupTest, ReplacesNothing) {
  Fill();
  fs::create_directory(backup_);
  EXPECT_THAT(Backup(),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("already")));
  fs::remove(backup_);
  fs::create_symlink(dir_.Path("nowhere"), backup_);
  EXPECT_THAT(Backup(),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("already")));
  fs::remove(backup_);
  std::ofstream(backup_) << "a file";
  EXPECT_THAT(Backup(),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("already")));
  EXPECT_EQ(BytesOf(backup_), "a file");
  fs::remove(backup_);
  // And what comes while it is made.
  EXPECT_THAT(Backup(Meanwhile([&] { fs::create_directory(backup_); })),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("already")));
  EXPECT_TRUE(fs::is_empty(backup_));
}

TEST_F(StoreBackupTest, DoesNotFollowALinkInThePlaceOfItsOwnFolder) {
  fs::create_directory(dir_.Path("elsewhere"));
  fs::create_directory_symlink(dir_.Path("elsewhere"), partial_);
  EXPECT_THAT(Backup(), StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr("is not a folder")));
  EXPECT_TRUE(fs::is_empty(dir_.Path("elsewhere")));
}

TEST_F(StoreBackupTest, IsNotWrittenIntoTheStoreThroughALinkThatWasPlanted) {
  const Items items = Fill();
  ASSERT_TRUE(fs::create_directory(partial_));
  fs::permissions(partial_, fs::perms::owner_all);
  for (const bool is_hard : {false, true}) {
    const std::string planted = partial_ + "/data.mdb";
    if (is_hard) {
      fs::create_hard_link(path_ + "/data.mdb", planted);
    } else {
      fs::create_symlink(path_ + "/data.mdb", planted);
    }
    EXPECT_THAT(Backup(), StatusIs(absl::StatusCode::kAlreadyExists,
                                   HasSubstr("nothing was done")));
    ASSERT_TRUE(fs::remove(planted));
  }
  Open();
  ExpectItems(store(), items);
}

TEST_F(StoreBackupTest, IsNotMadeInTheStoreNorInAFolderThatIsForbidden) {
  const auto to = [&](const std::string& path, const std::string& outside) {
    return store().Backup({.path = path, .outside = outside});
  };
  EXPECT_THAT(to(path_ + "/backup", ""),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("nothing was done")));
  EXPECT_THAT(to(backup_, dir_.path()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("nothing was done")));
  const MemoryDir other;
  fs::create_directory_symlink(dir_.path(), other.Path("link"));
  EXPECT_THAT(to(other.Path("link/backup"), dir_.path()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("nothing was done")));
  EXPECT_THAT(to(other.Path("backup/"), dir_.path()), IsOk());
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("store"));
}

TEST_F(StoreBackupTest, NeedsAPlace) {
  for (const char* path : {"", "/", "..", "a/..", "."}) {
    EXPECT_THAT(store().Backup({.path = path}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("nothing was done")))
        << path;
  }
  EXPECT_THAT(
      store().Backup({.path = dir_.Path("none/backup")}),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("there is no folder")));
}

TEST_F(StoreBackupTest, IsTheOnlyOneAtATime) {
  const Items items = Fill();
  absl::Status same_place;
  absl::Status other_place;
  ASSERT_THAT(Backup(Meanwhile([&] {
                same_place = store().Backup({.path = backup_}).status();
                other_place =
                    store().Backup({.path = dir_.Path("other")}).status();
              })),
              IsOk());
  for (const absl::Status& refused : {same_place, other_place}) {
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable,
                                  AllOf(HasSubstr("another backup of this"),
                                        HasSubstr("nothing was done"))));
    EXPECT_TRUE(error::IsStoreHeld(refused));
  }
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("backup", "store"));
  ExpectBackupOf(items);
}

TEST_F(StoreBackupTest, MayBeginWhileAnotherIsChecked) {
  Items items = Fill();
  const std::string other = dir_.Path("other");
  absl::Status same_place;
  absl::Status second;
  ASSERT_THAT(Backup([&, begun = false](const Progress& told) mutable {
                if (told.step != Step::kCheck || std::exchange(begun, true)) {
                  return true;
                }
                same_place = store().Backup({.path = backup_}).status();
                second =
                    store()
                        .Backup({.path = other,
                                 .on_progress = Meanwhile([&] {
                                   EXPECT_THAT(store().Set({.key = "app||0||0",
                                                            .value = "new"}),
                                               IsOk());
                                 })})
                        .status();
                return true;
              }),
              IsOk());
  EXPECT_THAT(second, IsOk());
  // The process that holds that folder is the server itself.
  EXPECT_THAT(same_place,
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("is being written in " + partial_),
                             Not(HasSubstr("stop that process")))));
  EXPECT_TRUE(error::IsStoreHeld(same_place));
  ExpectBackupOf(items);
  items["app||0||0"] = **store().Get("app||0||0");
  ExpectItems(*Store::Open(OptionsOf(other)).value(), items);
}

TEST_F(StoreBackupTest, IsNotMadeOfADamagedRecordWhichItNames) {
  Items items = Fill();
  const std::string key = "app||4||4001";
  const std::string place = PlaceOf(key);
  std::string record = ReadTable().at(place);
  record.back() ^= 1;
  WriteRecord(place, record);
  Open();
  EXPECT_THAT(Backup(), StatusIs(absl::StatusCode::kDataLoss,
                                 HasSubstr(absl::BytesToHexString(place))));
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("backup.partial", "store"));
  // Written anew, it leaves the count behind: the store says itself that it is
  // not what it was.
  ASSERT_THAT(store().Set({.key = key, .value = "new"}), IsOk());
  EXPECT_THAT(Backup(), StatusIs(absl::StatusCode::kDataLoss,
                                 HasSubstr("not those that")));
  EXPECT_THAT(Verify({.accept = true}).report, IsOk());
  Open();
  items[key] = **store().Get(key);
  ASSERT_THAT(Backup(), IsOk());
  ExpectBackupOf(items);
}

TEST_F(StoreBackupTest, IsNotMadeOfAStoreThatLacksARecord) {
  Fill();
  const std::string place = PlaceOf("app||0||7");
  WriteRecord(place, std::nullopt);
  Open();
  EXPECT_THAT(Backup(), StatusIs(absl::StatusCode::kDataLoss,
                                 HasSubstr("1 of 8990 are missing")));
  EXPECT_FALSE(fs::exists(backup_));
  EXPECT_THAT(Store::Open(OptionsOf(partial_)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("accumulator")));
}

TEST_F(StoreBackupTest, IsNotMadeWhereARecordWasPutBack) {
  Fill();
  const std::string place = PlaceOf("app||0||7");
  const std::string former = ReadTable().at(place);
  Open();
  ASSERT_THAT(store().Set({.key = "app||0||7", .value = "new"}), IsOk());
  WriteRecord(place, former);
  Open();
  EXPECT_THAT(Backup(), StatusIs(absl::StatusCode::kDataLoss,
                                 HasSubstr("not those that")));
  EXPECT_FALSE(fs::exists(backup_));
}

TEST_F(StoreBackupTest, IsCheckedAgainWhenItIsWritten) {
  Fill();
  const std::string record = ReadTable().at(PlaceOf("app||1||1"));
  Open();
  // What the disk made of the largest value.
  const absl::StatusOr<BackupReport> report = Backup([&](const Progress& told) {
    if (told.step != Step::kCheck || told.done != 0) return true;
    const size_t at =
        BytesOf(partial_ + "/data.mdb").find(record.substr(record.size() - 64));
    EXPECT_NE(at, std::string::npos);
    std::fstream file(partial_ + "/data.mdb",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file << "damage";
    return true;
  });
  EXPECT_THAT(report, StatusIs(absl::StatusCode::kInternal,
                               HasSubstr("suspect the disk")));
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("store"));
}

}  // namespace
}  // namespace statecpp
