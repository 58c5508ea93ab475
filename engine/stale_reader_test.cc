// SPDX-License-Identifier: Apache-2.0
//
// A process that is killed while it reads a store beside the one that writes:
// the pages of its snapshot come back into use.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/lmdb_environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/storage_for_test.h"

namespace statecpp {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

class StaleReaderTest : public ::testing::Test {
 protected:
  // Begins to read in a process of its own, which is killed.
  static void KillAReader(const std::string& folder) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t reader = fork();
    if (reader == 0) {
      const auto environment = LmdbEnvironment::Open(
          folder, 0, nullptr, LmdbEnvironment::Access::kRead);
      if (!environment.ok()) _exit(1);
      const auto snapshot = (*environment)->BeginRead();
      if (!snapshot.ok() || write(ends[1], "r", 1) != 1) _exit(1);
      for (;;) pause();
    }
    close(ends[1]);
    char said = 0;
    EXPECT_EQ(read(ends[0], &said, 1), 1);
    close(ends[0]);
    kill(reader, SIGKILL);
    waitpid(reader, nullptr, 0);
  }

  // Writes one item over and over, each time in new pages.
  static void Overwrite(StorageForTest& storage, int times) {
    for (int i = 0; i < times; ++i) {
      const auto verdicts =
          storage.Commit({{storage.Put("a", std::string(8000, 'v'))}});
      ASSERT_THAT(verdicts, IsOk()) << i;
      ASSERT_EQ(verdicts->front().outcome, Verdict::Outcome::kCommitted) << i;
    }
  }

  static uint64_t FileSize(StorageForTest& storage) {
    return std::filesystem::file_size(storage.folder() + "/data.mdb");
  }
};

TEST_F(StaleReaderTest, DoesNotMakeTheFileGrow) {
  StorageForTest storage;
  Overwrite(storage, 100);
  const uint64_t before = FileSize(storage);
  for (int round = 0; round < 3; ++round) {
    KillAReader(storage.folder());
    ASSERT_NO_FATAL_FAILURE(Overwrite(storage, 1000));
    // What 64 commits write, of about 30 KiB each.
    EXPECT_LT(FileSize(storage), before + 3 * kMiB) << round;
  }
  EXPECT_TRUE(storage.IsWhole());
}

TEST_F(StaleReaderTest, DoesNotMakeTheStoreFull) {
  StorageForTest storage(kMiB);
  for (int round = 0; round < 3; ++round) {
    Overwrite(storage, 1);
    KillAReader(storage.folder());
    ASSERT_NO_FATAL_FAILURE(Overwrite(storage, 200));
  }
  EXPECT_TRUE(storage.IsWhole());
}

TEST_F(StaleReaderTest, IsGoneWhenTheStoreIsOpened) {
  StorageForTest storage(kMiB);
  for (int round = 0; round < 3; ++round) {
    KillAReader(storage.folder());
    storage.Close();
    ASSERT_THAT(storage.Reopen(kMiB), IsOk());
    ASSERT_NO_FATAL_FAILURE(Overwrite(storage, 200));
  }
}

}  // namespace
}  // namespace statecpp
