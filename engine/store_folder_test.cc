// SPDX-License-Identifier: Apache-2.0
//
// How a store's folder comes into being, and who may hold it.
#include "engine/store_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "engine/file_lock.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/as_nobody.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void WriteFile(const std::string& path) { std::ofstream(path) << "text"; }

class StoreFolderTest : public ::testing::Test {
 protected:
  static absl::Status MakeNothing(const std::string&) {
    ADD_FAILURE() << "a store was to be made";
    return absl::InternalError("made");
  }

  absl::StatusOr<std::unique_ptr<Store>> OpenStore() {
    return Store::Open({.path = path_, .keys = TestKeys()});
  }

  // A folder like one whose maker is gone, last touched so long ago.
  std::string MakeAside(absl::string_view name, absl::Duration age,
                        bool with_lock) {
    const std::string folder = dir_.Path(name);
    EXPECT_TRUE(fs::create_directory(folder));
    WriteFile(folder + "/data.mdb");
    if (with_lock) WriteFile(folder + "/LOCK");
    const timespec then = absl::ToTimespec(absl::Now() - age);
    const timespec times[2] = {then, then};
    EXPECT_EQ(utimensat(AT_FDCWD, folder.c_str(), times, 0), 0);
    return folder;
  }

  TempDir dir_;
  const std::string path_ = dir_.Path("store");
};

TEST_F(StoreFolderTest, AStoreIsMadeAsideAndMovedIntoPlaceWhole) {
  std::string aside;
  const absl::StatusOr<StoreFolder> folder =
      StoreFolder::Open({.path = path_}, [&](const std::string& new_folder) {
        aside = new_folder;
        EXPECT_THAT(aside, StartsWith(dir_.Path(".new-")));
        EXPECT_FALSE(fs::exists(path_));
        // Held from the first moment, or it would look abandoned.
        EXPECT_THAT(FileLock::Acquire(aside + "/LOCK", absl::ZeroDuration()),
                    HasCode(absl::StatusCode::kUnavailable));
        WriteFile(aside + "/data.mdb");
        return absl::OkStatus();
      });
  ASSERT_THAT(folder, IsOk());
  EXPECT_EQ(folder->path(), path_);
  EXPECT_FALSE(fs::exists(aside));
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("store"));
  EXPECT_THAT(NamesIn(path_), ElementsAre("LOCK", "data.mdb"));
  // The lock moved with it.
  EXPECT_THAT(FileLock::Acquire(path_ + "/LOCK", absl::ZeroDuration()),
              HasCode(absl::StatusCode::kUnavailable));
}

TEST_F(StoreFolderTest, WhatCouldNotBeMadeLeavesNothing) {
  EXPECT_THAT(StoreFolder::Open({.path = path_},
                                [](const std::string& folder) {
                                  WriteFile(folder + "/data.mdb");
                                  return absl::DataLossError("no keys today");
                                }),
              StatusIs(absl::StatusCode::kDataLoss, "no keys today"));
  // Nor is a store without data moved into place.
  EXPECT_THAT(
      StoreFolder::Open({.path = path_},
                        [](const std::string&) { return absl::OkStatus(); }),
      HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(NamesIn(dir_.path()), IsEmpty());
}

TEST_F(StoreFolderTest, AbandonedFoldersAreRemovedAndNoOthers) {
  const absl::Duration long_ago = absl::Minutes(2);
  MakeAside(".new-abandoned", long_ago, /*with_lock=*/true);
  MakeAside(".new-before-its-lock", long_ago, /*with_lock=*/false);
  MakeAside(".new-young", absl::Seconds(10), /*with_lock=*/true);
  MakeAside(".new-younger", absl::Seconds(10), /*with_lock=*/false);
  MakeAside("another-store", long_ago, /*with_lock=*/true);
  const std::string held = MakeAside(".new-held", long_ago, /*with_lock=*/true);
  const absl::StatusOr<FileLock> lock =
      FileLock::Acquire(held + "/LOCK", absl::ZeroDuration());
  ASSERT_THAT(lock, IsOk());
  fs::create_directory_symlink(dir_.Path("another-store"),
                               dir_.Path(".new-link"));

  const auto what_stays = ElementsAre(".new-held", ".new-link", ".new-young",
                                      ".new-younger", "another-store", "store");
  ASSERT_THAT(OpenStore(), IsOk());
  EXPECT_THAT(NamesIn(dir_.path()), what_stays);
  // Also by who opens a store that is there already.
  MakeAside(".new-abandoned", long_ago, /*with_lock=*/true);
  ASSERT_THAT(OpenStore(), IsOk());
  EXPECT_THAT(NamesIn(dir_.path()), what_stays);
  EXPECT_THAT(NamesIn(dir_.Path("another-store")),
              ElementsAre("LOCK", "data.mdb"));
}

TEST_F(StoreFolderTest, ManyStoresAreMadeInOneParentAtOnce) {
  const MemoryDir parent;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&parent, t] {
      for (int i = 0; i < 5; ++i) {
        EXPECT_THAT(Store::Open({.path = parent.Path(absl::StrCat(t, ".", i)),
                                 .keys = TestKeys()}),
                    IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(NamesIn(parent.path()).size(), 40u);
}

// Whoever comes second to the same path finds the first one's store.
TEST_F(StoreFolderTest, ThePathIsTakenByWhoIsFirst) {
  std::unique_ptr<Store> first;
  const auto make = [&](const std::string& folder) {
    first = OpenStore().value();
    EXPECT_THAT(first->Set({.key = "a", .value = "1"}), IsOk());
    WriteFile(folder + "/data.mdb");
    return absl::OkStatus();
  };
  EXPECT_THAT(StoreFolder::Open({.path = path_}, make),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr(absl::StrCat("held by pid ", getpid()))));
  EXPECT_THAT(first->Get("a"), IsOkAndHolds(HasValue("1")));
  EXPECT_THAT(NamesIn(dir_.path()), ElementsAre("store"));
}

TEST_F(StoreFolderTest, AnEmptyFolderIsTakenAndTrailingSlashesAreNot) {
  ASSERT_TRUE(fs::create_directory(path_));
  const absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open({.path = path_ + "//", .keys = TestKeys()});
  ASSERT_THAT(store, IsOk());
  EXPECT_THAT(NamesIn(path_), ElementsAre("LOCK", "data.mdb", "lock.mdb"));
}

TEST_F(StoreFolderTest, AFolderThatLostItsDataIsNoNewStore) {
  ASSERT_THAT(OpenStore(), IsOk());
  ASSERT_TRUE(fs::remove(path_ + "/data.mdb"));
  const std::vector<std::string> before = NamesIn(path_);
  EXPECT_THAT(OpenStore(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(path_), HasSubstr("no data.mdb"))));
  EXPECT_EQ(NamesIn(path_), before);
}

TEST_F(StoreFolderTest, NothingIsMadeThatWasNotAskedFor) {
  EXPECT_THAT(StoreFolder::Open({.path = path_, .create = false}, MakeNothing),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
  ASSERT_TRUE(fs::create_directory(path_));
  EXPECT_THAT(StoreFolder::Open({.path = path_, .create = false}, MakeNothing),
              HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(NamesIn(path_), IsEmpty());
}

TEST_F(StoreFolderTest, APathThatIsOrPassesAFileIsRefused) {
  WriteFile(path_);
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument,
                                HasSubstr("is not a folder"));
  EXPECT_THAT(OpenStore(), refused);
  EXPECT_THAT(Store::Open({.path = path_ + "/below", .keys = TestKeys()}),
              refused);
  EXPECT_EQ(fs::file_size(path_), 4u);
}

TEST_F(StoreFolderTest, AMissingParentIsNotMade) {
  EXPECT_THAT(Store::Open({.path = dir_.Path("a/b"), .keys = TestKeys()}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(dir_.Path("a"))));
  EXPECT_THAT(NamesIn(dir_.path()), IsEmpty());
}

TEST_F(StoreFolderTest, AParentThatMayNotBeWrittenIsNamed) {
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  const std::optional<std::string> report =
      AsNobody([this] { return OpenStore().status().ToString(); });
  if (!report.has_value()) GTEST_SKIP() << "this process may not setuid";
  EXPECT_THAT(*report,
              AllOf(StartsWith("PERMISSION_DENIED"), HasSubstr(dir_.path()),
                    HasSubstr("Permission denied")));
}

TEST_F(StoreFolderTest, AStoreOfSomeoneElseIsRefused) {
  ASSERT_THAT(OpenStore(), IsOk());
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0755), 0);
  const std::optional<std::string> report =
      AsNobody([this] { return OpenStore().status().ToString(); });
  if (!report.has_value()) GTEST_SKIP() << "this process may not setuid";
  EXPECT_THAT(*report,
              AllOf(StartsWith("PERMISSION_DENIED"), HasSubstr(path_)));
  EXPECT_THAT(OpenStore(), IsOk());
}

TEST_F(StoreFolderTest, TheHolderIsNamed) {
  const std::unique_ptr<Store> store = OpenStore().value();
  char host[256];
  ASSERT_EQ(gethostname(host, sizeof(host)), 0);
  EXPECT_THAT(OpenStore(),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(path_ + "/LOCK"),
                             HasSubstr(absl::StrCat("pid ", getpid(), " on ",
                                                    host, " since 20")),
                             HasSubstr("nothing was opened"))));
}

TEST_F(StoreFolderTest, AHolderWhoDiedHoldsNothing) {
  ASSERT_THAT(OpenStore(), IsOk());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto store = OpenStore();
    const char ok = store.ok() ? 'y' : 'n';
    _exit(write(ends[1], &ok, 1) == 1 ? pause() : 1);
  }
  char opened = 'n';
  ASSERT_EQ(read(ends[0], &opened, 1), 1);
  EXPECT_EQ(opened, 'y');
  EXPECT_THAT(OpenStore(), StatusIs(absl::StatusCode::kUnavailable,
                                    HasSubstr(absl::StrCat("pid ", child))));
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_THAT(OpenStore(), IsOk());
  close(ends[0]);
  close(ends[1]);
}

// How often this process has the file open.
int CountOpen(const std::string& file) {
  int count = 0;
  for (const fs::directory_entry& entry :
       fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    if (fs::read_symlink(entry.path(), ignored) == file) ++count;
  }
  return count;
}

TEST_F(StoreFolderTest, OpenWaitsForTheHolderAsLongAsItIsTold) {
  std::unique_ptr<Store> holder = OpenStore().value();
  const absl::Time start = absl::Now();
  EXPECT_THAT(
      Store::Open({.path = path_,
                   .keys = TestKeys(),
                   .lock_timeout = absl::Milliseconds(60)}),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("waited 60ms")));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(60));

  absl::Notification answered;
  std::thread waiting([&] {
    EXPECT_THAT(Store::Open({.path = path_,
                             .keys = TestKeys(),
                             .lock_timeout = absl::Minutes(1)}),
                IsOk());
    answered.Notify();
  });
  // It waits from when the file is open twice.
  while (CountOpen(path_ + "/LOCK") < 2 && !answered.HasBeenNotified()) {
    std::this_thread::yield();
  }
  EXPECT_FALSE(answered.HasBeenNotified());
  holder.reset();
  waiting.join();
}

}  // namespace
}  // namespace statecpp
