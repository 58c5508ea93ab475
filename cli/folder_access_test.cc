// SPDX-License-Identifier: Apache-2.0
//
// What modes keep a user from, who need not be there.
#include "cli/folder_access.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

// Neither this user nor of its group.
FileUser Stranger() { return {geteuid() + 1, {getegid() + 1}}; }
// Another user of this one's group, which is not his first.
FileUser Colleague() { return {geteuid() + 1, {getegid() + 2, getegid()}}; }

class FolderAccessTest : public ::testing::Test {
 protected:
  FolderAccessTest() {
    std::filesystem::create_directory(folder_);
    std::ofstream(socket_) << "";
    SetMode(dir_.path(), 0755);
    SetMode(folder_, 0755);
  }

  static void SetMode(const std::string& path, mode_t mode) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
  }

  const TempDir dir_;
  const std::string folder_ = dir_.Path("sockets");
  const std::string socket_ = folder_ + "/cpp.sock";
};

TEST_F(FolderAccessTest, NothingIsInTheWay) {
  EXPECT_FALSE(BarrierToFolder(folder_, Stranger()).has_value());
}

TEST_F(FolderAccessTest, AFolderHasToBeEnteredAndListed) {
  for (const mode_t mode : {0750, 0751, 0754}) {
    SetMode(folder_, mode);
    const std::optional<AccessBarrier> barrier =
        BarrierToFolder(folder_, Stranger());
    ASSERT_TRUE(barrier.has_value());
    EXPECT_EQ(std::filesystem::path(barrier->path),
              std::filesystem::canonical(folder_));
    EXPECT_EQ(barrier->mode, mode);
    EXPECT_EQ(barrier->missing, 5 & ~mode);
  }
}

TEST_F(FolderAccessTest, ThoseAboveHaveToBeEntered) {
  SetMode(dir_.path(), 0711);
  EXPECT_FALSE(BarrierToFolder(folder_, Stranger()).has_value());
  SetMode(dir_.path(), 0710);
  const std::optional<AccessBarrier> barrier =
      BarrierToFolder(folder_, Stranger());
  ASSERT_TRUE(barrier.has_value());
  EXPECT_EQ(std::filesystem::path(barrier->path),
            std::filesystem::canonical(dir_.path()));
  EXPECT_EQ(barrier->missing, mode_t{1});
}

TEST_F(FolderAccessTest, OwnerAndGroupHaveBitsOfTheirOwn) {
  SetMode(folder_, 0570);
  EXPECT_FALSE(BarrierToFolder(folder_, Colleague()).has_value());
  EXPECT_TRUE(BarrierToFolder(folder_, Stranger()).has_value());
  // The group's are not those of all others, and may be fewer.
  SetMode(folder_, 0705);
  EXPECT_TRUE(BarrierToFolder(folder_, Colleague()).has_value());
  EXPECT_FALSE(BarrierToFolder(folder_, Stranger()).has_value());
}

TEST_F(FolderAccessTest, ASocketHasToBeWritten) {
  SetMode(socket_, 0660);
  EXPECT_FALSE(BarrierToSocket(socket_, Colleague()).has_value());
  const std::optional<AccessBarrier> barrier =
      BarrierToSocket(socket_, Stranger());
  ASSERT_TRUE(barrier.has_value());
  EXPECT_EQ(barrier->owner, geteuid());
  EXPECT_EQ(barrier->missing, mode_t{2});
  SetMode(socket_, 0666);
  EXPECT_FALSE(BarrierToSocket(socket_, Stranger()).has_value());
}

TEST_F(FolderAccessTest, ItIsKnownWhoseBitsCount) {
  SetMode(socket_, 0460);
  const std::optional<AccessBarrier> stranger =
      BarrierToSocket(socket_, Stranger());
  ASSERT_TRUE(stranger.has_value());
  EXPECT_EQ(stranger->his, 'o');
  EXPECT_TRUE(stranger->GroupWouldHelp());
  SetMode(socket_, 0402);
  const std::optional<AccessBarrier> colleague =
      BarrierToSocket(socket_, Colleague());
  ASSERT_TRUE(colleague.has_value());
  EXPECT_EQ(colleague->his, 'g');
  EXPECT_FALSE(colleague->GroupWouldHelp());
}

TEST(FileUserTest, AUserHasTheGroupsOfTheLists) {
  // The first user of every machine.
  const FileUser root = UserByLists(0);
  EXPECT_EQ(root.uid, uid_t{0});
  EXPECT_THAT(root.groups, Contains(gid_t{0}));
  EXPECT_EQ(NameOfUser(0), "root");
  EXPECT_EQ(NameOfGroup(0), "root");
  // And one whom none knows.
  EXPECT_THAT(UserByLists(4000000).groups, ElementsAre(gid_t{4000000}));
  EXPECT_EQ(NameOfUser(4000000), "");
  EXPECT_EQ(NameOfGroup(4000000), "4000000");
}

TEST_F(FolderAccessTest, ThisUserMayUseWhatTheKernelLetsIt) {
  EXPECT_TRUE(ThisUserMayUse(folder_, socket_));
  EXPECT_TRUE(ThisUserMayUse(folder_, socket_ + ".none"));
  EXPECT_FALSE(ThisUserMayUse(folder_ + "/none", socket_));
}

TEST_F(FolderAccessTest, RootMayGoAnywhere) {
  SetMode(socket_, 0);
  EXPECT_FALSE(BarrierToSocket(socket_, {0, {0}}).has_value());
}

TEST_F(FolderAccessTest, WhatIsNotThereIsInNobodysWay) {
  EXPECT_FALSE(BarrierToFolder(folder_ + "/none", Stranger()).has_value());
  EXPECT_FALSE(BarrierToSocket(socket_ + ".none", Stranger()).has_value());
}

}  // namespace
}  // namespace statecpp
