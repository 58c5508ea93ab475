// SPDX-License-Identifier: Apache-2.0
//
// From which files a backup goes on, and which it begins anew.
#include "engine/backup_file.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "crypto/random.h"
#include "engine/store_header.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/limit_of_files.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::Optional;

class BackupFileTest : public ::testing::Test {
 protected:
  absl::StatusOr<BackupFile> Open() { return Open(header_); }
  absl::StatusOr<BackupFile> Open(const std::string& header) {
    return BackupFile::Open(dir_.path(), header, uint64_t{16} << 20, nullptr);
  }

  // A backup that was interrupted when it had one record.
  void Interrupt() {
    absl::StatusOr<BackupFile> file = Open();
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT(file->Put(Space::kRecords, "key", "record"), IsOk());
    ASSERT_THAT(file->Commit(), IsOk());
  }

  const MemoryDir dir_;
  const std::string header_ = NewPlainHeader(SystemRandom());
};

TEST_F(BackupFileTest, GoesOnWhereItStood) {
  Interrupt();
  absl::StatusOr<BackupFile> file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_TRUE(file->is_resumed());
  EXPECT_THAT(file->Get(Space::kRecords, "key"),
              IsOkAndHolds(Optional(absl::string_view("record"))));
}

TEST_F(BackupFileTest, BeginsWhereThereIsNone) {
  const absl::StatusOr<BackupFile> file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_FALSE(file->is_resumed());
}

TEST_F(BackupFileTest, BeginsAnewWhereWhatIsThereIsDamaged) {
  Interrupt();
  fs::resize_file(dir_.Path("data.mdb"), 100);
  absl::StatusOr<BackupFile> file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_FALSE(file->is_resumed());
  EXPECT_THAT(file->Get(Space::kRecords, "key"), IsOkAndHolds(std::nullopt));
}

TEST_F(BackupFileTest, KeepsWhatCannotBeReadJustNow) {
  Interrupt();
  {
    const LimitOfFiles limit;
    EXPECT_THAT(Open(), HasCode(absl::StatusCode::kInternal));
  }
  const absl::StatusOr<BackupFile> file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_TRUE(file->is_resumed());
}

TEST_F(BackupFileTest, KeepsWhatIsOfAnotherStore) {
  Interrupt();
  EXPECT_THAT(Open(NewPlainHeader(SystemRandom())),
              HasCode(absl::StatusCode::kAlreadyExists));
  const absl::StatusOr<BackupFile> file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_TRUE(file->is_resumed());
}

}  // namespace
}  // namespace statecpp
