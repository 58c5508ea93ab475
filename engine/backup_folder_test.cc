// SPDX-License-Identifier: Apache-2.0
//
// What a backup takes for the folder that an interrupted one left. Whoever may
// make backups, perhaps as root, in a folder where others write too, does not
// write for them into a file of their choice.
#include "engine/backup_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/limit_of_files.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class BackupFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(mkdir(partial_.c_str(), 0700), 0);
    ASSERT_EQ(mkdir(dir_.Path("live").c_str(), 0700), 0);
  }

  absl::StatusOr<BackupFolder> Open() { return BackupFolder::Open(path_, ""); }

  // Something that is not to be written, beside the folder.
  std::string Live(const std::string& name) {
    std::string file = dir_.Path("live/" + name);
    std::ofstream(file) << "live";
    return file;
  }

  MemoryDir dir_;
  const std::string path_ = dir_.Path("backup");
  const std::string partial_ = dir_.Path("backup.partial");
};

TEST_F(BackupFolderTest, TakesWhatABackupLeft) {
  for (const char* name : {"LOCK", "data.mdb", "lock.mdb"}) {
    std::ofstream(partial_ + "/" + name) << "";
  }
  const absl::StatusOr<BackupFolder> folder = Open();
  ASSERT_THAT(folder, IsOk());
  EXPECT_TRUE(folder->is_left());
  EXPECT_EQ(folder->path(), partial_);
}

TEST_F(BackupFolderTest, MakesOneThatItTakesAgain) {
  ASSERT_TRUE(fs::remove(partial_));
  const mode_t mask = umask(0);
  const absl::StatusOr<BackupFolder> folder = Open();
  umask(mask);
  ASSERT_THAT(folder, IsOk());
  EXPECT_FALSE(folder->is_left());
  EXPECT_THAT(CheckLeftover(partial_, geteuid()), IsOk());
}

TEST_F(BackupFolderTest, TakesNoneOfAnotherUser) {
  const uid_t other = geteuid() + 1;
  EXPECT_THAT(
      CheckLeftover(partial_, other),
      StatusIs(absl::StatusCode::kAlreadyExists,
               AllOf(HasSubstr(absl::StrCat("belongs to uid ", geteuid())),
                     HasSubstr(absl::StrCat("runs as uid ", other)),
                     HasSubstr("nothing was done"))));
}

TEST_F(BackupFolderTest, TakesNoneThatOthersMayWrite) {
  for (const mode_t mode : {0720, 0702, 01777}) {
    ASSERT_EQ(chmod(partial_.c_str(), mode), 0);
    EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kAlreadyExists,
                                 AllOf(HasSubstr("others can change"),
                                       HasSubstr("nothing was done"))))
        << mode;
    EXPECT_TRUE(fs::is_empty(partial_));
  }
  ASSERT_EQ(chmod(partial_.c_str(), 0755), 0);
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(BackupFolderTest, TakesNoneWithALink) {
  for (const char* name : {"LOCK", "data.mdb", "lock.mdb"}) {
    const std::string live = Live(name);
    const std::string planted = partial_ + "/" + name;
    fs::create_symlink(live, planted);
    EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kAlreadyExists,
                                 AllOf(HasSubstr(planted + " is a link"),
                                       HasSubstr("nothing was done"))));
    fs::remove(planted);
    fs::create_hard_link(live, planted);
    EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kAlreadyExists,
                                 AllOf(HasSubstr(planted),
                                       HasSubstr("another name as well"),
                                       HasSubstr("nothing was done"))));
    fs::remove(planted);
    fs::create_directory(planted);
    EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kAlreadyExists,
                                 AllOf(HasSubstr(planted),
                                       HasSubstr("not a regular file"))));
    fs::remove(planted);
    std::string text;
    std::getline(std::ifstream(live), text);
    EXPECT_EQ(text, "live") << name;
  }
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(BackupFolderTest, SaysWhetherItIsInPlaceWhenASyncFails) {
  absl::StatusOr<BackupFolder> folder = Open();
  ASSERT_THAT(folder, IsOk());
  std::ofstream(partial_ + "/data.mdb") << "data";
  {
    const LimitOfFiles limit;
    EXPECT_THAT(folder->Sync(), HasCode(absl::StatusCode::kInternal));
    EXPECT_THAT(folder->MoveIntoPlace(),
                StatusIs(absl::StatusCode::kUnknown,
                         HasSubstr("in place at " + path_)));
  }
  EXPECT_TRUE(fs::exists(path_ + "/data.mdb"));
  EXPECT_FALSE(fs::exists(partial_));
}

TEST_F(BackupFolderTest, ReplacesNothing) {
  absl::StatusOr<BackupFolder> folder = Open();
  ASSERT_THAT(folder, IsOk());
  fs::create_directory(path_);
  EXPECT_THAT(folder->MoveIntoPlace(),
              HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_TRUE(fs::exists(partial_ + "/LOCK"));
}

}  // namespace
}  // namespace statecpp
