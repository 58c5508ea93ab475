// SPDX-License-Identifier: Apache-2.0
//
// The lock of a folder that is exchanged for another, or removed, while someone
// waits for it. What else locks do is tested in store_folder_test.cc.
#include "engine/file_lock.h"

#include <fcntl.h>
#include <stdio.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
constexpr absl::StatusCode kHeld = absl::StatusCode::kUnavailable;

class FileLockTest : public ::testing::Test {
 protected:
  absl::StatusOr<FileLock> Acquire(absl::string_view folder,
                                   absl::Duration timeout) {
    return FileLock::Acquire(dir_.Path(folder) + "/LOCK", timeout);
  }
  FileLock MustAcquire(absl::string_view folder) {
    absl::StatusOr<FileLock> lock = Acquire(folder, absl::ZeroDuration());
    EXPECT_THAT(lock, IsOk());
    return *std::move(lock);
  }

  absl::StatusOr<SharedFileLock> Look(absl::string_view folder) {
    return SharedFileLock::Acquire(dir_.Path(folder) + "/LOCK");
  }

  // Returns when someone has opened the lock file of the folder beside the one
  // who holds it.
  void AwaitWaiter(absl::string_view folder) {
    const std::string file = dir_.Path(folder) + "/LOCK";
    for (int count = 0; count < 2; std::this_thread::yield()) {
      count = 0;
      for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code ignored;
        count += fs::read_symlink(entry.path(), ignored) == file;
      }
    }
  }

  MemoryDir dir_;
};

// As a server that starts while `statecpp doctor` looks.
TEST_F(FileLockTest, WhoHasNoPatienceWaitsForOneWhoLooks) {
  ASSERT_TRUE(fs::create_directory(dir_.Path("store")));
  MustAcquire("store");
  absl::StatusOr<SharedFileLock> look = Look("store");
  ASSERT_THAT(look, IsOk());
  std::thread waiting([this] { MustAcquire("store"); });
  AwaitWaiter("store");
  {
    const SharedFileLock looked = *std::move(look);
    EXPECT_TRUE(looked.Holds());
  }
  waiting.join();
}

TEST_F(FileLockTest, SeveralLookAndNobodyWhileItIsHeld) {
  ASSERT_TRUE(fs::create_directory(dir_.Path("store")));
  {
    const FileLock lock = MustAcquire("store");
    EXPECT_THAT(Look("store"),
                StatusIs(kHeld, ::testing::HasSubstr("is held by pid ")));
  }
  const absl::StatusOr<SharedFileLock> one = Look("store");
  EXPECT_THAT(one, IsOk());
  EXPECT_THAT(Look("store"), IsOk());
}

TEST_F(FileLockTest, ALookMakesNoFileAndNoticesOneThatIsMade) {
  ASSERT_TRUE(fs::create_directory(dir_.Path("store")));
  const absl::StatusOr<SharedFileLock> look = Look("store");
  ASSERT_THAT(look, IsOk());
  EXPECT_TRUE(look->Holds());
  EXPECT_TRUE(fs::is_empty(dir_.Path("store")));
  MustAcquire("store");
  EXPECT_FALSE(look->Holds());
}

TEST_F(FileLockTest, WhoWaitedGetsTheLockOfTheFolderThatIsThereNow) {
  ASSERT_TRUE(fs::create_directory(dir_.Path("old")));
  ASSERT_TRUE(fs::create_directory(dir_.Path("new")));
  FileLock of_new = MustAcquire("new");
  absl::Notification got_it;
  std::thread waiting;
  {
    const FileLock of_old = MustAcquire("old");
    waiting = std::thread([&] {
      const absl::StatusOr<FileLock> lock = Acquire("old", absl::Minutes(1));
      EXPECT_THAT(lock, IsOk());
      got_it.Notify();
      // Whoever comes now finds it held.
      EXPECT_THAT(Acquire("old", absl::ZeroDuration()), HasCode(kHeld));
    });
    AwaitWaiter("old");
    fs::rename(dir_.Path("old"), dir_.Path("former"));
    fs::rename(dir_.Path("new"), dir_.Path("old"));
  }
  // The former folder's lock is free, and not the one that is meant.
  EXPECT_FALSE(got_it.WaitForNotificationWithTimeout(absl::Milliseconds(200)));
  { const FileLock released = std::move(of_new); }
  waiting.join();
}

// The folder is exchanged again and again, and its lock is always held: of the
// next one before it is there, of the former one until it is gone.
TEST_F(FileLockTest, NobodyGetsTheLockOfAFolderThatWasJustExchanged) {
  constexpr int kExchanges = 2000;
  ASSERT_TRUE(fs::create_directory(dir_.Path("store")));
  FileLock held = MustAcquire("store");
  std::atomic<bool> over = false;
  std::vector<std::thread> others;
  for (int t = 0; t < 3; ++t) {
    others.emplace_back([&] {
      while (!over) {
        ASSERT_THAT(Acquire("store", absl::ZeroDuration()), HasCode(kHeld));
      }
    });
  }
  for (int i = 0; i < kExchanges; ++i) {
    ASSERT_TRUE(fs::create_directory(dir_.Path("aside")));
    FileLock next = MustAcquire("aside");
    ASSERT_EQ(renameat2(AT_FDCWD, dir_.Path("aside").c_str(), AT_FDCWD,
                        dir_.Path("store").c_str(), RENAME_EXCHANGE),
              0);
    held = std::move(next);
    fs::remove_all(dir_.Path("aside"));
  }
  over = true;
  for (std::thread& other : others) other.join();
}

TEST_F(FileLockTest, WhoWaitedForAFolderThatIsGoneIsTold) {
  ASSERT_TRUE(fs::create_directory(dir_.Path("old")));
  std::thread waiting;
  {
    const FileLock lock = MustAcquire("old");
    waiting = std::thread([&] {
      EXPECT_THAT(Acquire("old", absl::Minutes(1)),
                  HasCode(absl::StatusCode::kNotFound));
    });
    AwaitWaiter("old");
    fs::remove_all(dir_.Path("old"));
  }
  waiting.join();
}

}  // namespace
}  // namespace statecpp
