// SPDX-License-Identifier: Apache-2.0
//
// That it is needed, and enough, is shown by tests/power/failed_write_test.
#include "engine/meta_page.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"

namespace statecpp {
namespace {

constexpr uint32_t kPage = 4096;

class MetaPageTest : public ::testing::Test {
 protected:
  MetaPageTest() {
    for (int i = 0; i < 2 * static_cast<int>(kPage); ++i) {
      bytes_.push_back(static_cast<char>(i % 251));
    }
    std::ofstream(path_, std::ios::binary) << bytes_;
    fd_ = open(path_.c_str(), O_RDWR);
  }
  ~MetaPageTest() override { close(fd_); }

  std::string Content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const MemoryDir dir_;
  const std::string path_ = dir_.Path("data.mdb");
  std::string bytes_;
  int fd_ = -1;
};

// Of the page that the transaction writes, and of no other.
TEST_F(MetaPageTest, TheFormerOneIsPutBackWhole) {
  for (const uint64_t transaction : {6, 7}) {
    const FormerMetaPage former(fd_, transaction, kPage);
    // As LMDB does: from map_size on.
    const off_t offset = (transaction % 2 == 0 ? 0 : kPage) + 32;
    const std::string other(120, 'x');
    ASSERT_EQ(pwrite(fd_, other.data(), other.size(), offset), 120);
    ASSERT_NE(Content(), bytes_);
    former.PutBack();
    EXPECT_EQ(Content(), bytes_);
  }
}

TEST_F(MetaPageTest, SettlingChangesNothing) {
  EXPECT_EQ(SettleMetaPages(fd_, kPage), 0);
  EXPECT_EQ(Content(), bytes_);
}

TEST_F(MetaPageTest, SettlingSaysWhyItCannot) {
  const int read_only = open(path_.c_str(), O_RDONLY);
  EXPECT_EQ(SettleMetaPages(read_only, kPage), EBADF);
  close(read_only);
  ASSERT_EQ(ftruncate(fd_, kPage), 0);
  EXPECT_EQ(SettleMetaPages(fd_, kPage), EIO);
}

}  // namespace
}  // namespace statecpp
