// SPDX-License-Identifier: Apache-2.0
//
// A backup whose disk becomes full on its way: the store does not notice, what
// was copied is kept, and with space the backup goes on.
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/backup.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"
#include "tests/support/small_disk.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kItems = 30;
constexpr size_t kValue = 1'000'000;
constexpr int kDiskMiB = 48;
constexpr uint64_t kLeft = uint64_t{1} << 20;

class StoreBackupFullTest : public ::testing::TestWithParam<SmallDisk::Kind> {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<SmallDisk>> disk =
        SmallDisk::Mount(GetParam(), kDiskMiB);
    ASSERT_THAT(disk, IsOk());
    disk_ = *std::move(disk);
    store_ =
        Store::Open({.path = dir_.Path("store"), .keys = TestKeys()}).value();
    for (int i = 0; i < kItems; ++i) {
      ASSERT_THAT(store_->Set({.key = absl::StrCat(i),
                               .value = std::string(kValue, 'v')}),
                  IsOk());
    }
    backup_ = disk_->Path("backup");
  }

  std::unique_ptr<SmallDisk> disk_;
  const MemoryDir dir_;
  std::unique_ptr<Store> store_;
  std::string backup_;
};

INSTANTIATE_TEST_SUITE_P(All, StoreBackupFullTest,
                         ::testing::Values(SmallDisk::Kind::kTmpfs,
                                           SmallDisk::Kind::kExt4),
                         [](const auto& info) {
                           return info.param == SmallDisk::Kind::kTmpfs
                                      ? "Tmpfs"
                                      : "Ext4";
                         });

TEST_P(StoreBackupFullTest, GoesOnWhenThereIsSpaceAgain) {
  bool filled = false;
  const absl::StatusOr<BackupReport> stopped = store_->Backup(
      {.path = backup_,
       .on_progress = [&](const BackupRequest::Progress& told) {
         if (told.done > kItems / 2 + 3 && !std::exchange(filled, true)) {
           disk_->FillUpTo(kLeft);
         }
         return true;
       }});
  ASSERT_TRUE(filled);
  EXPECT_THAT(stopped, StatusIs(absl::StatusCode::kResourceExhausted,
                                AllOf(HasSubstr("disk of the backup is full"),
                                      HasSubstr("goes on from there"))));
  EXPECT_FALSE(fs::exists(backup_));
  EXPECT_THAT(store_->Set({.key = "other", .value = "v"}), IsOk());

  disk_->DropBallast();
  const absl::StatusOr<BackupReport> report = store_->Backup({.path = backup_});
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->resumed);
  EXPECT_LT(report->copied, static_cast<uint64_t>(kItems));
  EXPECT_EQ(report->records, static_cast<uint64_t>(kItems) + 1);
}

TEST_P(StoreBackupFullTest, IsNotBegunWhereThereIsTooLittleRoom) {
  disk_->FillUpTo(kLeft);
  EXPECT_THAT(store_->Backup({.path = backup_}),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("bytes of free disk")));
  EXPECT_FALSE(fs::exists(backup_));
  EXPECT_FALSE(fs::exists(backup_ + ".partial"));
}

}  // namespace
}  // namespace statecpp
