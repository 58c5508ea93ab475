// SPDX-License-Identifier: Apache-2.0
//
// From which files a backup goes on, and which it begins anew.
#include "engine/backup_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
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
using ::testing::HasSubstr;
using ::testing::Optional;

class BackupFileTest : public ::testing::Test {
 protected:
  absl::StatusOr<BackupFile> Open() { return Open(header_); }
  absl::StatusOr<BackupFile> Open(const std::string& header) {
    return BackupFile::Open(dir_.path(), header, uint64_t{16} << 20, nullptr);
  }

  static std::string BytesOf(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
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

TEST_F(BackupFileTest, SaysThatItIsDamagedAndNotTheStore) {
  Interrupt();
  // No page that holds the record is a leaf any more.
  const std::string path = dir_.Path("data.mdb");
  std::string bytes = BytesOf(path);
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  constexpr size_t kFlags = 10;
  size_t pages = 0;
  for (size_t at = bytes.find("keyrecord"); at != std::string::npos;
       at = bytes.find("keyrecord", at + 1)) {
    bytes[at / page * page + kFlags] = '\0';
    ++pages;
  }
  ASSERT_GT(pages, 0u);
  std::ofstream(path, std::ios::binary) << bytes;
  absl::StatusOr<BackupFile> file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(
      file->Get(Space::kRecords, "key"),
      StatusIs(absl::StatusCode::kUnknown, HasSubstr(path + " is damaged")));
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
