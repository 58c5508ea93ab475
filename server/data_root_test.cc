// SPDX-License-Identifier: Apache-2.0
//
// What a server process may rely on about its folder. That other file systems
// and other users are refused is tested on the program itself (tests/program).
#include "server/data_root.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Optional;

absl::StatusOr<DataRoot> Open(const std::string& path,
                              absl::Duration wait = absl::ZeroDuration()) {
  return DataRoot::Open(path, wait, /*allow_network_file_system=*/false);
}

class DataRootTest : public ::testing::Test {
 protected:
  std::string path() const { return dir_.Path("data"); }

  DataRoot MustOpen() {
    absl::StatusOr<DataRoot> root = Open(path());
    EXPECT_THAT(root, IsOk());
    return *std::move(root);
  }

  TempDir dir_;
};

TEST_F(DataRootTest, MakesItsFoldersForTheOwnerAlone) {
  const mode_t before = umask(0);
  const DataRoot root = MustOpen();
  umask(before);
  for (const char* folder : {"", "/stores", "/instances"}) {
    struct stat info = {};
    ASSERT_EQ(stat((path() + folder).c_str(), &info), 0) << folder;
    EXPECT_EQ(info.st_mode & 07777, mode_t{0700}) << folder;
  }
}

TEST_F(DataRootTest, BelongsToTheOwnerOfItsFolderWhoeverOpensItFirst) {
  constexpr uid_t kNobody = 65534;
  const uid_t owner = geteuid() == 0 ? kNobody : geteuid();
  const gid_t group = geteuid() == 0 ? kNobody : getegid();
  ASSERT_EQ(mkdir(path().c_str(), 0700), 0);
  ASSERT_EQ(chown(path().c_str(), owner, group), 0);
  MustOpen();
  for (const char* name : {"", "/LOCK", "/stores", "/instances"}) {
    struct stat info = {};
    ASSERT_EQ(lstat((path() + name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_uid, owner) << name;
    EXPECT_EQ(info.st_gid, group) << name;
  }
}

// What was there belongs to whom it did.
TEST_F(DataRootTest, GivesNothingAwayThatItDidNotMake) {
  MustOpen();
  const uid_t owner = geteuid() == 0 ? 65534 : geteuid();
  ASSERT_EQ(chown(path().c_str(), owner, getegid()), 0);
  ASSERT_TRUE(fs::remove(path() + "/stores"));
  const std::string other = dir_.Path("other");
  ASSERT_EQ(mkdir(other.c_str(), 0700), 0);
  fs::create_directory_symlink(other, path() + "/stores");
  MustOpen();
  for (const std::string& kept :
       {path() + "/LOCK", path() + "/instances", other}) {
    struct stat info = {};
    ASSERT_EQ(lstat(kept.c_str(), &info), 0) << kept;
    EXPECT_EQ(info.st_uid, geteuid()) << kept;
  }
}

TEST_F(DataRootTest, IsOneProcessesAtATimeAndSaysWhose) {
  {
    const DataRoot root = MustOpen();
    EXPECT_THAT(
        Open(path()),
        StatusIs(absl::StatusCode::kUnavailable,
                 AllOf(HasSubstr(path() + "/LOCK"),
                       HasSubstr(absl::StrCat("pid ", getpid(), " on ")),
                       HasSubstr("nothing was opened"))));
  }
  EXPECT_THAT(Open(path()), IsOk());
}

TEST_F(DataRootTest, WaitsForTheLockAsLongAsItIsTold) {
  std::optional<DataRoot> first = MustOpen();
  const absl::Time start = absl::Now();
  EXPECT_THAT(Open(path(), absl::Milliseconds(100)),
              HasCode(absl::StatusCode::kUnavailable));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(100));

  std::thread second(
      [this] { EXPECT_THAT(Open(path(), absl::Hours(1)), IsOk()); });
  first.reset();
  second.join();
}

TEST_F(DataRootTest, AnyWayOfWritingThePathIsTheSameFolder) {
  const DataRoot root = MustOpen();
  ASSERT_EQ(symlink(path().c_str(), dir_.Path("link").c_str()), 0);
  for (const std::string& other :
       {path() + "/", path() + "//", path() + "/../data", dir_.Path("link")}) {
    EXPECT_THAT(Open(other), HasCode(absl::StatusCode::kUnavailable)) << other;
  }
}

TEST_F(DataRootTest, WhatIsThereIsKept) {
  fs::create_directories(path() + "/stores/orders");
  std::ofstream(path() + "/stores/orders/data.mdb") << "precious";
  std::ofstream(path() + "/notes.txt") << "precious";
  const DataRoot root = MustOpen();
  EXPECT_TRUE(fs::exists(path() + "/notes.txt"));
  EXPECT_EQ(fs::file_size(path() + "/stores/orders/data.mdb"), 8u);
  EXPECT_EQ(root.StorePath("orders"), path() + "/stores/orders");
}

TEST_F(DataRootTest, WhatIsNoFolderIsRefusedAndLeftAlone) {
  std::ofstream(path()) << "precious";
  for (const std::string& wrong : {path(), path() + "/below"}) {
    EXPECT_THAT(Open(wrong), StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr(wrong + " is not a folder")));
  }
  EXPECT_EQ(fs::file_size(path()), 8u);
}

TEST_F(DataRootTest, OneOfItsFoldersBeingAFileIsRefused) {
  fs::create_directory(path());
  std::ofstream(path() + "/stores") << "precious";
  EXPECT_THAT(Open(path()), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("/stores is not a folder")));
}

TEST_F(DataRootTest, AParentIsNotMade) {
  EXPECT_THAT(Open(dir_.Path("absent/data")),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr(dir_.Path("absent/data"))));
  EXPECT_FALSE(fs::exists(dir_.Path("absent")));
}

// --- What is remembered of instances.

TEST_F(DataRootTest, AnInstancesTextComesBackAlsoAfterARestart) {
  const std::string text(100'000, '\n');
  {
    const DataRoot root = MustOpen();
    EXPECT_THAT(root.ReadInstance("orders"), IsOkAndHolds(std::nullopt));
    ASSERT_THAT(root.WriteInstance("orders", text), IsOk());
    ASSERT_THAT(root.WriteInstance("empty", ""), IsOk());
  }
  const DataRoot root = MustOpen();
  EXPECT_THAT(root.ReadInstance("orders"), IsOkAndHolds(Optional(text)));
  EXPECT_THAT(root.ReadInstance("empty"),
              IsOkAndHolds(Optional(std::string())));
  struct stat info = {};
  ASSERT_EQ(stat((path() + "/instances/orders.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, mode_t{0600});
}

TEST_F(DataRootTest, AReaderFindsTheOldTextOrTheNewOne) {
  const DataRoot root = MustOpen();
  const std::string texts[] = {std::string(50'000, 'a'),
                               std::string(70'000, 'b')};
  ASSERT_THAT(root.WriteInstance("orders", texts[0]), IsOk());
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const auto found = root.ReadInstance("orders");
      ASSERT_THAT(found, IsOk());
      ASSERT_TRUE(found->has_value() &&
                  (**found == texts[0] || **found == texts[1]));
    }
  });
  for (int i = 1; i < 100; ++i) {
    EXPECT_THAT(root.WriteInstance("orders", texts[i % 2]), IsOk());
  }
  done = true;
  reader.join();
}

TEST_F(DataRootTest, WhatAFormerProcessDidNotFinishDoesNoHarm) {
  {
    const DataRoot root = MustOpen();
    ASSERT_THAT(root.WriteInstance("orders", "old"), IsOk());
  }
  std::ofstream(path() + "/instances/orders.json.tmp") << "half a te";
  const DataRoot root = MustOpen();
  EXPECT_THAT(root.ReadInstance("orders"),
              IsOkAndHolds(Optional(std::string("old"))));
  ASSERT_THAT(root.WriteInstance("orders", "new"), IsOk());
  EXPECT_THAT(root.ReadInstance("orders"),
              IsOkAndHolds(Optional(std::string("new"))));
}

TEST_F(DataRootTest, WritesAnInstanceToNowhereElse) {
  const DataRoot root = MustOpen();
  ASSERT_THAT(root.WriteInstance("orders", "old"), IsOk());
  const std::string instance = path() + "/instances/orders.json";
  ASSERT_EQ(chmod(instance.c_str(), 0640), 0);
  // What whoever owns the folder could put in root's way.
  const std::string other = dir_.Path("other");
  std::ofstream(other) << "other";
  ASSERT_EQ(chmod(other.c_str(), 0600), 0);
  for (const bool is_hard : {false, true}) {
    if (is_hard) {
      fs::create_hard_link(other, instance + ".tmp");
    } else {
      fs::create_symlink(other, instance + ".tmp");
    }
    ASSERT_THAT(root.WriteInstance("orders", "new"), IsOk());
    EXPECT_THAT(root.ReadInstance("orders"),
                IsOkAndHolds(Optional(std::string("new"))));
    EXPECT_EQ(fs::status(instance).permissions(), fs::perms{0640});
    std::string text;
    std::getline(std::ifstream(other), text);
    EXPECT_EQ(text, "other");
    EXPECT_EQ(fs::status(other).permissions(), fs::perms{0600});
  }
}

TEST_F(DataRootTest, ATextThatCannotBeReplacedIsKept) {
  const DataRoot root = MustOpen();
  ASSERT_THAT(root.WriteInstance("orders", "old"), IsOk());
  fs::create_directory(path() + "/instances/orders.json.tmp");
  EXPECT_FALSE(root.WriteInstance("orders", "new").ok());
  EXPECT_THAT(root.ReadInstance("orders"),
              IsOkAndHolds(Optional(std::string("old"))));
}

}  // namespace
}  // namespace statecpp
