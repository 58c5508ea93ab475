// SPDX-License-Identifier: Apache-2.0
//
// How a folder that root made goes to another user, who may write in the folder
// around it: nothing that he puts in the way is given to him as well.
#include "engine/folder_aside.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr uid_t kNobody = 65534;

struct stat StatOf(const std::string& file) {
  struct stat info = {};
  EXPECT_EQ(lstat(file.c_str(), &info), 0) << file;
  return info;
}

class FolderAsideTest : public ::testing::Test {
 protected:
  static constexpr const char* kFiles[] = {"LOCK", "data.mdb", "lock.mdb"};

  FolderAside MakeStore() {
    absl::StatusOr<FolderAside> aside = FolderAside::Make(dir_.Path("store"));
    EXPECT_THAT(aside, IsOk());
    for (const char* name : kFiles) {
      std::ofstream(aside->path() + "/" + name) << "";
    }
    return *std::move(aside);
  }

  // A store's folder, of modes that no other has.
  std::string MakeModel() {
    std::string folder = dir_.Path("model");
    fs::create_directory(folder);
    for (const char* name : kFiles) {
      const std::string file = folder + "/" + name;
      std::ofstream(file) << "";
      EXPECT_EQ(chmod(file.c_str(), 0640), 0);
      EXPECT_EQ(chown(file.c_str(), owner_, group_), 0);
    }
    EXPECT_EQ(chmod(folder.c_str(), 0750), 0);
    EXPECT_EQ(chown(folder.c_str(), owner_, group_), 0);
    return folder;
  }

  // Puts a link to `to` in the place of a file.
  static void Plant(const std::string& file, const std::string& to) {
    ASSERT_TRUE(fs::remove(file));
    fs::create_symlink(to, file);
  }

  // Of the store; only root can give it to another.
  const uid_t owner_ = geteuid() == 0 ? kNobody : geteuid();
  const gid_t group_ = geteuid() == 0 ? kNobody : getegid();
  MemoryDir dir_;
};

TEST_F(FolderAsideTest, GoesToOneOwner) {
  const FolderAside aside = MakeStore();
  ASSERT_THAT(aside.GiveTo(owner_, group_), IsOk());
  for (const char* name : {"", "/LOCK", "/data.mdb", "/lock.mdb"}) {
    EXPECT_EQ(StatOf(aside.path() + name).st_uid, owner_) << name;
    EXPECT_EQ(StatOf(aside.path() + name).st_gid, group_) << name;
  }
}

TEST_F(FolderAsideTest, GoesToNoOwnerWithWhatALinkInItLeadsTo) {
  for (const char* name : kFiles) {
    const FolderAside aside = MakeStore();
    const std::string other = dir_.Path("other");
    std::ofstream(other) << "";
    Plant(aside.path() + "/" + name, other);
    ASSERT_THAT(aside.GiveTo(owner_, group_), IsOk());
    EXPECT_EQ(StatOf(other).st_uid, geteuid()) << name;
    EXPECT_EQ(StatOf(aside.path() + "/" + name).st_uid, owner_) << name;
  }
  // Whoever followed this one would find nothing.
  const FolderAside aside = MakeStore();
  Plant(aside.path() + "/LOCK", dir_.Path("nowhere"));
  EXPECT_THAT(aside.GiveTo(owner_, group_), IsOk());
}

TEST_F(FolderAsideTest, IsTheFolderThatWasMadeWhateverHasItsNameByNow) {
  const std::string model = MakeModel();
  const std::string moved = dir_.Path("moved");
  const std::string other = dir_.Path("other");
  fs::create_directory(other);
  const mode_t mode = StatOf(other).st_mode;
  const FolderAside aside = MakeStore();
  fs::rename(aside.path(), moved);
  fs::create_directory_symlink(other, aside.path());
  // There is no file in the other one to give or to sync.
  EXPECT_THAT(aside.GiveTo(owner_, group_), IsOk());
  EXPECT_THAT(aside.TakeOwnersAndModes(model), IsOk());
  EXPECT_THAT(aside.Sync(), IsOk());
  EXPECT_EQ(StatOf(moved).st_uid, owner_);
  EXPECT_EQ(StatOf(other).st_uid, geteuid());
  EXPECT_EQ(StatOf(other).st_mode, mode);
}

TEST_F(FolderAsideTest, TakesTheOwnersAndModesOfAnother) {
  const std::string model = MakeModel();
  const FolderAside aside = MakeStore();
  ASSERT_THAT(aside.TakeOwnersAndModes(model), IsOk());
  for (const char* name : {"", "/LOCK", "/data.mdb", "/lock.mdb"}) {
    EXPECT_EQ(StatOf(aside.path() + name).st_uid, owner_) << name;
    EXPECT_EQ(StatOf(aside.path() + name).st_mode & 07777,
              *name == '\0' ? 0750u : 0640u)
        << name;
  }
}

TEST_F(FolderAsideTest, SetsNoModeOfWhatALinkInItLeadsTo) {
  const std::string model = MakeModel();
  for (const char* name : kFiles) {
    const FolderAside aside = MakeStore();
    const std::string other = dir_.Path("other");
    std::ofstream(other) << "";
    ASSERT_EQ(chmod(other.c_str(), 0600), 0);
    Plant(aside.path() + "/" + name, other);
    EXPECT_THAT(aside.TakeOwnersAndModes(model).message(), HasSubstr(name));
    EXPECT_EQ(StatOf(other).st_mode & 07777, 0600u) << name;
    EXPECT_EQ(StatOf(other).st_uid, geteuid()) << name;
  }
}

}  // namespace
}  // namespace statecpp
