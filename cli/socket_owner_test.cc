// SPDX-License-Identifier: Apache-2.0
//
// Whose a folder of sockets, and a socket in it, may be.
#include "cli/socket_owner.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/socket_dial.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

constexpr uid_t kServer = 998;
constexpr uid_t kMallory = 1001;
const std::vector<uid_t>& Trusted() {
  static const auto& trusted = *new std::vector<uid_t>{0, kServer};
  return trusted;
}

constexpr FileOwner kTmp = {.uid = 0, .mode = S_IFDIR | 01777};
constexpr FileOwner kRun = {.uid = 0, .mode = S_IFDIR | 0755};

TEST(SocketOwnerTest, AFolderThatAnybodyCouldMakeIsOfTheTrusted) {
  const FileOwner mallorys = {.uid = kMallory, .mode = S_IFDIR | 0755};
  EXPECT_TRUE(IsStrangersFolder(mallorys, kTmp, Trusted()));
  EXPECT_FALSE(IsStrangersFolder({.uid = kServer, .mode = S_IFDIR | 0755}, kTmp,
                                 Trusted()));
  // Only root can have put it there, who knows whose it is.
  EXPECT_FALSE(IsStrangersFolder(mallorys, kRun, Trusted()));
}

TEST(SocketOwnerTest, ASocketThatAnybodyCouldPutThereIsOfTheTrusted) {
  EXPECT_TRUE(IsStrangersSocket(kMallory, kServer, kTmp, Trusted()));
  EXPECT_TRUE(IsStrangersSocket(kServer, kMallory, kTmp, Trusted()));
  EXPECT_FALSE(IsStrangersSocket(kServer, 0, kTmp, Trusted()));
  EXPECT_FALSE(IsStrangersSocket(kMallory, kMallory, kRun, Trusted()));
}

class WorthNamingTest : public ::testing::Test {
 protected:
  WorthNamingTest() {
    std::filesystem::create_directory(folder_);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = SocketAddressOf(socket_);
    EXPECT_EQ(
        bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
        0);
    close(fd);
  }

  const TempDir dir_;
  const std::string folder_ =
      std::filesystem::canonical(dir_.path()).string() + "/sockets";
  const std::string socket_ = folder_ + "/cpp.sock";
  const std::vector<uid_t> me_ = {geteuid()};
};

TEST_F(WorthNamingTest, IsOneOfTheTrusted) {
  EXPECT_TRUE(IsWorthNaming(folder_, socket_, me_));
  EXPECT_FALSE(IsWorthNaming(folder_, socket_, {geteuid() + 1}));
}

TEST_F(WorthNamingTest, IsNoneThatAllMayWrite) {
  ASSERT_EQ(chmod(folder_.c_str(), 01777), 0);
  EXPECT_FALSE(IsWorthNaming(folder_, socket_, me_));
}

TEST_F(WorthNamingTest, IsNoneBehindALink) {
  const std::string link = folder_ + "-link";
  std::filesystem::create_symlink(folder_, link);
  EXPECT_FALSE(IsWorthNaming(link, link + "/cpp.sock", me_));
}

TEST_F(WorthNamingTest, IsNoneWithoutASocket) {
  EXPECT_FALSE(IsWorthNaming(folder_, folder_ + "/none.sock", me_));
  EXPECT_FALSE(IsWorthNaming(folder_ + "/none", socket_ + "/none", me_));
  EXPECT_FALSE(IsWorthNaming(folder_, folder_, me_));
}

}  // namespace
}  // namespace statecpp
