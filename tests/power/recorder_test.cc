// SPDX-License-Identifier: Apache-2.0
#include "tests/power/recorder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/power/disk.h"
#include "tests/power/disk_image.h"
#include "tests/power/workload.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

using Tree = std::map<std::string, std::string>;

// All files below, and folders, whose content is "(folder)". Not that of
// lock.mdb, which LMDB writes through a map.
Tree TreeOf(const std::string& folder) {
  Tree tree;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(entry.path(), folder).string();
    if (entry.is_directory()) {
      tree[name] = "(folder)";
    } else if (entry.path().filename() != "lock.mdb") {
      std::ifstream file(entry.path(), std::ios::binary);
      tree[name] = std::string(std::istreambuf_iterator<char>(file), {});
    }
  }
  return tree;
}

Tree TreeOf(const DiskImage& image) {
  const MemoryDir dir;
  image.WriteTo(dir.path());
  return TreeOf(dir.path());
}

constexpr uint64_t kNothing = 0;
constexpr uint64_t kAll = 1;

class RecorderTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& bytes, int flags = 0) {
    const int fd =
        open(dir_.Path(name).c_str(), O_CREAT | O_WRONLY | flags, 0600);
    EXPECT_EQ(pwrite(fd, bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    close(fd);
  }
  void Sync(const std::string& name) {
    const int fd = open(dir_.Path(name).c_str(), O_RDONLY);
    EXPECT_EQ(fsync(fd), 0);
    close(fd);
  }

  // Of what happened since Start, with the power cut now.
  Tree Arrive(uint64_t choice, Disk::Promises promises = {}) {
    recording_ = Recorder::Get().Stop();
    Disk disk(recording_, promises);
    disk.GoOn(recording_.events.size() + 1);
    return TreeOf(DiskImage::Of(disk, 0, choice));
  }

  const MemoryDir dir_;
  Recording recording_;
};

TEST_F(RecorderTest, WhatIsNotSyncedMayBeAbsentAndMayBeThere) {
  Write("old", "1");
  Recorder::Get().Start(dir_.path());
  Write("old", "2");
  Write("new", "3");
  const Recording recording = Recorder::Get().Stop();
  Disk disk(recording, {});
  disk.GoOn(recording.events.size() + 1);
  EXPECT_EQ(TreeOf(DiskImage::Of(disk, 0, kNothing)), (Tree{{"old", "1"}}));
  EXPECT_EQ(TreeOf(DiskImage::Of(disk, 0, kAll)),
            (Tree{{"old", "2"}, {"new", "3"}}));
}

TEST_F(RecorderTest, ASyncOfAFileIsNoneOfItsName) {
  Recorder::Get().Start(dir_.path());
  Write("a", "1");
  Sync("a");
  EXPECT_EQ(Arrive(kNothing), Tree());
}

TEST_F(RecorderTest, ASyncOfAFolderIsNoneOfItsFiles) {
  Recorder::Get().Start(dir_.path());
  Write("a", "1");
  Sync(".");
  EXPECT_EQ(Arrive(kNothing), (Tree{{"a", ""}}));
}

TEST_F(RecorderTest, WhatIsSyncedIsThere) {
  Recorder::Get().Start(dir_.path());
  ASSERT_EQ(mkdir(dir_.Path("f").c_str(), 0700), 0);
  Write("f/a", "1");
  Write("f/b", "2", O_DSYNC);
  Sync("f/a");
  Sync("f");
  ASSERT_EQ(rename(dir_.Path("f").c_str(), dir_.Path("g").c_str()), 0);
  Sync(".");
  const Tree tree = {{"g", "(folder)"}, {"g/a", "1"}, {"g/b", "2"}};
  EXPECT_EQ(Arrive(kNothing), tree);
}

TEST_F(RecorderTest, ADiskThatLiesHasNothing) {
  Recorder::Get().Start(dir_.path());
  Write("a", "1");
  Sync("a");
  Sync(".");
  EXPECT_EQ(Arrive(kNothing, {.lie = Disk::Lie::kSyncsNoData}),
            (Tree{{"a", ""}}));
}

// What one sync failed to write, no later one writes.
TEST_F(RecorderTest, AFailedSyncIsForgottenOrNot) {
  for (const bool forgets : {true, false}) {
    Write("a", "1");
    Recorder::Get().Start(dir_.path());
    Write("a", "2");
    Recorder::Get().FailNext(Recorder::Fault::kSync, "a");
    const int fd = open(dir_.Path("a").c_str(), O_RDONLY);
    EXPECT_EQ(fdatasync(fd), -1);
    EXPECT_EQ(fdatasync(fd), 0);
    close(fd);
    EXPECT_TRUE(Recorder::Get().Restart());
    EXPECT_EQ(Arrive(kNothing, {.forgets_failed = forgets}),
              (Tree{{"a", forgets ? "1" : "2"}}));
  }
}

// All that a workload did, as it was recorded, comes to the files that it left.
class RecordedWorkTest : public ::testing::TestWithParam<std::string> {};

TEST_P(RecordedWorkTest, IsAllThatWasDone) {
  const MemoryDir dir;
  const absl::StatusOr<RecordedWork> work = RecordIn(dir.path(), GetParam(), 1);
  ASSERT_THAT(work, IsOk());
  Disk disk(work->recording, {});
  disk.GoOn(work->recording.events.size() + 1);
  EXPECT_EQ(TreeOf(DiskImage::Of(disk, 0, kAll)), TreeOf(dir.path()));
}

INSTANTIATE_TEST_SUITE_P(All, RecordedWorkTest,
                         ::testing::ValuesIn(WorkloadNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace statecpp
