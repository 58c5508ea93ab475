// SPDX-License-Identifier: Apache-2.0
//
// What is restored of a backup, and which are refused before anything is
// written.
#include "engine/store_restore.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "crypto/master_key.h"
#include "crypto/secret.h"
#include "engine/backup.h"
#include "engine/error_payload.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/copied_store.h"
#include "tests/support/damaged_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kPage = 4096;

class StoreRestoreTest : public DamagedStoreTest {
 protected:
  // Returns what the backup holds.
  Items FillAndBackUp(const std::string& to) {
    std::vector<std::string> keys;
    for (int i = 0; i < 150; ++i) {
      WriteOp op = {.key = absl::StrCat("app||", i),
                    .value = absl::StrCat(to, i, std::string(i, 'v'))};
      if (i % 4 == 0) op.ttl = absl::Seconds(100 + i);
      if (i == 7) op.value = std::string(20'000, 'w');
      keys.push_back(op.key);
      EXPECT_THAT(store().Set(std::move(op)), IsOk());
    }
    EXPECT_THAT(store().Backup({.path = to}), IsOk());
    return ReadItems(store(), keys);
  }

  CopyOptions From(const std::string& path) {
    return {.path = path,
            .keys = TestKeys(),
            .walker = {"engine/store_walker"},
            .clock = &clock_};
  }
  absl::StatusOr<RestoreReport> Restore() {
    return RestoreStore(From(backup_), restored_);
  }

  Options OptionsOf(const std::string& path) {
    Options options = StoreOptions();
    options.path = path;
    options.create = false;
    return options;
  }

  // Either is right of a file that was tampered with: what is changed may be
  // free pages, or all that is not one of two. Returns whether it was refused.
  bool IsRefusedOrTheSame(const Items& items, const Items& or_these = {}) {
    const absl::StatusOr<RestoreReport> report = Restore();
    if (report.ok()) {
      const auto store = Store::Open(OptionsOf(restored_)).value();
      const auto& [key, item] = *items.begin();
      const bool is_first = store->Get(key).value()->etag == item.etag;
      ExpectItems(*store, is_first ? items : or_these);
      fs::remove_all(restored_);
      return false;
    }
    EXPECT_THAT(report, HasCode(absl::StatusCode::kDataLoss));
    EXPECT_THAT(NamesIn(parent_), ElementsAre());
    return true;
  }

  void WriteFile(const std::string& bytes) const {
    std::ofstream(backup_ + "/data.mdb", std::ios::binary) << bytes;
  }

  const std::string backup_ = dir_.Path("backup");
  const std::string parent_ = dir_.Path("parent");
  const std::string restored_ = dir_.Path("parent/restored");
  const bool made_ = fs::create_directory(parent_);
};

TEST_F(StoreRestoreTest, IsTheStoreAsItWasBackedUp) {
  const Items items = FillAndBackUp(backup_);
  const uint64_t commit_seq = store().GetStats()->commit_seq;
  ASSERT_THAT(store().Set({.key = "later", .value = "v"}), IsOk());
  const absl::StatusOr<RestoreReport> report = Restore();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->records, items.size());
  EXPECT_EQ(report->commit_seq, commit_seq);
  EXPECT_EQ(report->bytes, fs::file_size(restored_ + "/data.mdb"));
  EXPECT_EQ(report->sealed, TestsAreSealed());
  EXPECT_THAT(NamesIn(parent_), ElementsAre("restored"));
  ExpectItems(*Store::Open(OptionsOf(restored_)).value(), items);
  // And again: the backup is as it was.
  fs::remove_all(restored_);
  ASSERT_THAT(Restore(), IsOk());
}

TEST_F(StoreRestoreTest, GivesNoETagThatWasGivenAfterTheBackup) {
  const Items items = FillAndBackUp(backup_);
  constexpr int kWrites = 20'000;
  std::set<uint64_t> given;
  for (const auto& [key, item] : items) given.insert(item.etag.version());
  const auto write_and_note = [&given](Store& store) {
    std::vector<WriteOp> ops;
    for (int i = 0; i < kWrites; ++i) {
      ops.push_back({.key = absl::StrCat("app||", i), .value = "new"});
    }
    for (const auto& etag : store.BulkWrite(std::move(ops))) {
      ASSERT_THAT(etag, IsOk());
      ASSERT_TRUE(given.insert(etag->version()).second);
    }
  };
  write_and_note(store());
  ASSERT_THAT(Restore(), IsOk());
  write_and_note(*Store::Open(OptionsOf(restored_)).value());
  EXPECT_EQ(given.size(), items.size() + 2 * kWrites);
}

TEST_F(StoreRestoreTest, ReplacesNothing) {
  FillAndBackUp(backup_);
  fs::create_directory(restored_);
  std::ofstream(restored_ + "/file") << "text";
  EXPECT_THAT(Restore(), HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(BytesOf(restored_ + "/file"), "text");
  fs::remove_all(restored_);
  fs::create_directory(dir_.Path("elsewhere"));
  fs::create_directory_symlink(dir_.Path("elsewhere"), restored_);
  EXPECT_THAT(Restore(), HasCode(absl::StatusCode::kAlreadyExists));
  fs::remove(restored_);
  // As a volume is that was just made.
  fs::create_directory(restored_);
  EXPECT_THAT(Restore(), IsOk());
}

TEST_F(StoreRestoreTest, NeedsABackupAndAPlace) {
  EXPECT_THAT(Restore(), HasCode(absl::StatusCode::kNotFound));
  FillAndBackUp(backup_);
  EXPECT_THAT(
      RestoreStore(From(backup_), dir_.Path("none/store")),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("make it first")));
  EXPECT_THAT(RestoreStore(From(backup_), ""),
              HasCode(absl::StatusCode::kNotFound));
}

TEST_F(StoreRestoreTest, NeedsTheKeyOfTheMomentThatWasBackedUp) {
  const Items items = FillAndBackUp(backup_);
  CopyOptions from = From(backup_);
  auto other = std::make_shared<MasterKeys>();
  other->push_back(MasterKey::FromKey("other", Secret::Random()));
  from.keys = other;
  const absl::StatusOr<RestoreReport> report = RestoreStore(from, restored_);
  if (!TestsAreSealed()) {
    // A plain store asks for none.
    EXPECT_THAT(report, IsOk());
    return;
  }
  EXPECT_THAT(report, HasCode(absl::StatusCode::kPermissionDenied));
  EXPECT_TRUE(error::IsAboutKey(report.status()));
  EXPECT_THAT(NamesIn(parent_), ElementsAre());
}

TEST_F(StoreRestoreTest, AnInterruptedBackupIsRefused) {
  FillAndBackUp(backup_);
  EXPECT_THAT(store().Backup({.path = dir_.Path("second"),
                              .on_progress =
                                  [](const BackupRequest::Progress& told) {
                                    return told.done == 0;
                                  }}),
              HasCode(absl::StatusCode::kCancelled));
  EXPECT_THAT(RestoreStore(From(dir_.Path("second.partial")), restored_),
              HasCode(absl::StatusCode::kDataLoss));
  EXPECT_THAT(NamesIn(parent_), ElementsAre());
}

TEST_F(StoreRestoreTest, OneThatIsCutIsRefused) {
  FillAndBackUp(backup_);
  const std::string whole = BytesOf(backup_ + "/data.mdb");
  for (size_t size = 0; size < whole.size(); size += kPage) {
    WriteFile(whole.substr(0, size));
    EXPECT_THAT(Restore(), HasCode(absl::StatusCode::kDataLoss)) << size;
    EXPECT_THAT(NamesIn(parent_), ElementsAre());
  }
}

TEST_F(StoreRestoreTest, OneWithPagesSwappedIsRefused) {
  const Items items = FillAndBackUp(backup_);
  const std::string whole = BytesOf(backup_ + "/data.mdb");
  const size_t pages = whole.size() / kPage;
  size_t refused = 0;
  for (size_t page = 2; page + 1 < pages; ++page) {
    std::string swapped = whole;
    std::swap_ranges(&swapped[page * kPage], &swapped[(page + 1) * kPage],
                     &swapped[(page + 1) * kPage]);
    WriteFile(swapped);
    SCOPED_TRACE(page);
    refused += IsRefusedOrTheSame(items);
  }
  EXPECT_GE(refused, pages / 2);
}

TEST_F(StoreRestoreTest, TwoThatWereSplicedAreRefused) {
  const Items items = FillAndBackUp(backup_);
  const std::string later = dir_.Path("later");
  const Items items_later = FillAndBackUp(later);
  const std::string a = BytesOf(backup_ + "/data.mdb");
  const std::string b = BytesOf(later + "/data.mdb");
  const size_t pages = std::min(a.size(), b.size()) / kPage;
  size_t refused = 0;
  for (size_t page = 1; page < pages; ++page) {
    SCOPED_TRACE(page);
    WriteFile(a.substr(0, page * kPage) + b.substr(page * kPage));
    refused += IsRefusedOrTheSame(items, items_later);
    WriteFile(b.substr(0, page * kPage) + a.substr(page * kPage));
    refused += IsRefusedOrTheSame(items, items_later);
  }
  EXPECT_GE(refused, pages);
}

TEST_F(StoreRestoreTest, OneWhoseHeaderWasEditedIsRefused) {
  const Items items = FillAndBackUp(backup_);
  Close();
  const std::string whole = BytesOf(backup_ + "/data.mdb");
  const std::string header = ReadTable(Table::kMeta).at("header");
  const size_t at = whole.rfind(header);
  ASSERT_NE(at, std::string::npos);
  for (size_t i = 0; i < header.size(); ++i) {
    std::string edited = whole;
    edited[at + i] ^= 1;
    WriteFile(edited);
    const absl::StatusOr<RestoreReport> report = Restore();
    // A slot that does not fit the key any more reads as another key's, and a
    // format that is not known as one that is newer.
    EXPECT_TRUE(absl::IsDataLoss(report.status()) ||
                absl::IsPermissionDenied(report.status()) ||
                absl::IsUnimplemented(report.status()))
        << i << ": " << report.status();
    EXPECT_THAT(NamesIn(parent_), ElementsAre());
  }
}

TEST_F(StoreRestoreTest, OneWithADamagedRecordIsRefused) {
  FillAndBackUp(backup_);
  const std::string place = PlaceOf("app||7");
  std::string record = ReadTable().at(place);
  const std::string whole = BytesOf(backup_ + "/data.mdb");
  const size_t at = whole.find(record.substr(record.size() - 100));
  ASSERT_NE(at, std::string::npos);
  std::string damaged = whole;
  damaged[at] ^= 1;
  WriteFile(damaged);
  // As a walk over all of it has it, before a byte is copied.
  EXPECT_THAT(Restore(),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("would pass for whole: damaged record: ")));
  EXPECT_THAT(NamesIn(parent_), ElementsAre());
}

}  // namespace
}  // namespace statecpp
