// SPDX-License-Identifier: Apache-2.0
//
// Copies that a disk or a file system stops: the store stays as it was, and
// nothing stays aside.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "engine/store_copy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/copied_store.h"
#include "tests/support/memory_dir.h"
#include "tests/support/small_disk.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace {

// What renameat2() answers; 0: what it does.
int exchange_error = 0;

}  // namespace

// In the place of the C library's: no file system at hand is without it.
extern "C" int renameat2(int from_folder, const char* from, int to_folder,
                         const char* to, unsigned flags) noexcept {
  if (exchange_error != 0) {
    errno = exchange_error;
    return -1;
  }
  return static_cast<int>(
      syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Step = CopyOptions::Step;

constexpr int kCount = 150;
constexpr size_t kSize = 40'000;

Items FillStore(CopyKind kind, const std::string& path) {
  const std::unique_ptr<Store> store =
      Store::Open({.path = path, .keys = KeysBefore(kind)}).value();
  std::vector<std::string> keys;
  for (int i = 0; i < kCount; ++i) {
    keys.push_back(absl::StrCat("k", i));
    EXPECT_THAT(
        store->Set({.key = keys.back(), .value = std::string(kSize, 'v')}),
        IsOk());
  }
  return ReadItems(*store, keys);
}

class FailureTest : public ::testing::TestWithParam<CopyKind> {
 protected:
  void SetUp() override { exchange_error = 0; }

  CopyOptions OptionsFor(const std::string& path) {
    return {.path = path, .keys = KeysAfter(GetParam())};
  }
  absl::StatusOr<CopyReport> Copy(const CopyOptions& options) {
    return statecpp::Copy(GetParam(), options);
  }
  void ExpectStore(const std::string& path, const Items& items,
                   std::shared_ptr<const MasterKeys> keys) {
    const auto store = Store::Open({.path = path, .keys = std::move(keys)});
    ASSERT_THAT(store, IsOk());
    ExpectItems(**store, items);
  }
};

INSTANTIATE_TEST_SUITE_P(All, FailureTest,
                         ::testing::Values(CopyKind::kCompactPlain,
                                           CopyKind::kCompactSealed,
                                           CopyKind::kEncrypt),
                         [](const auto& info) { return NameOf(info.param); });

class FullDiskTest : public FailureTest {
 protected:
  void SetUp() override {
    FailureTest::SetUp();
    absl::StatusOr<std::unique_ptr<SmallDisk>> disk =
        SmallDisk::Mount(SmallDisk::Kind::kTmpfs, 64);
    if (!disk.ok()) GTEST_SKIP() << disk.status().message();
    disk_ = *std::move(disk);
    ASSERT_TRUE(fs::create_directory(disk_->Path("stores")));
    path_ = disk_->Path("stores/store");
    items_ = FillStore(GetParam(), path_);
  }

  void ExpectUntouched() {
    EXPECT_THAT(NamesIn(disk_->Path("stores")), ElementsAre("store"));
    disk_->DropBallast();
    ExpectStore(path_, items_, KeysBefore(GetParam()));
  }

  std::unique_ptr<SmallDisk> disk_;
  std::string path_;
  Items items_;
};

INSTANTIATE_TEST_SUITE_P(All, FullDiskTest,
                         ::testing::Values(CopyKind::kCompactPlain,
                                           CopyKind::kCompactSealed,
                                           CopyKind::kEncrypt),
                         [](const auto& info) { return NameOf(info.param); });

TEST_P(FullDiskTest, TooLittleRoomIsFoundBeforeAnythingIsWritten) {
  constexpr uint64_t kHave = 3 << 20;
  disk_->FillUpTo(kHave);
  CopyOptions options = OptionsFor(path_);
  options.on_progress = [](Step, uint64_t, uint64_t) {
    ADD_FAILURE() << "it began";
    return true;
  };
  EXPECT_THAT(Copy(options),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       ::testing::MatchesRegex(absl::StrCat(
                           "a copy of the store at ", path_,
                           " needs [6-9][0-9]{6} bytes of free disk, and there "
                           "are ",
                           disk_->Free(), ";.* nothing was changed"))));
  ExpectUntouched();
}

TEST_P(FullDiskTest, ADiskThatFillsUpOnTheWayChangesNothing) {
  CopyOptions options = OptionsFor(path_);
  bool full = false;
  options.on_progress = [&](Step step, uint64_t, uint64_t) {
    if (step == Step::kCopy && !std::exchange(full, true)) {
      disk_->FillUpTo(uint64_t{1} << 20);
    }
    return true;
  };
  EXPECT_THAT(Copy(options), StatusIs(absl::StatusCode::kResourceExhausted,
                                      AllOf(HasSubstr("became full while"),
                                            HasSubstr("nothing was changed"))));
  EXPECT_TRUE(full);
  ExpectUntouched();
}

// A store may be all that is mounted there.
TEST_P(FullDiskTest, AMountPointIsNotExchanged) {
  for (const char* name : {"data.mdb", "lock.mdb", "LOCK"}) {
    fs::copy(path_ + "/" + name, disk_->Path(name));
  }
  const std::string mounted = fs::path(disk_->Path("x")).parent_path();
  CopyOptions options = OptionsFor(mounted);
  options.on_progress = [](Step, uint64_t, uint64_t) {
    ADD_FAILURE() << "it began";
    return true;
  };
  EXPECT_THAT(Copy(options),
              StatusIs(absl::StatusCode::kUnimplemented,
                       AllOf(HasSubstr(mounted), HasSubstr("a mount point"),
                             HasSubstr("nothing was changed"))));
}

TEST_P(FailureTest, AFileSystemThatCannotExchangeFoldersIsNamedFirst) {
  const MemoryDir dir;
  const std::string path = dir.Path("store");
  const Items items = FillStore(GetParam(), path);
  CopyOptions options = OptionsFor(path);
  options.on_progress = [](Step, uint64_t, uint64_t) {
    ADD_FAILURE() << "it began";
    return true;
  };
  exchange_error = EINVAL;
  EXPECT_THAT(Copy(options),
              StatusIs(absl::StatusCode::kUnimplemented,
                       AllOf(HasSubstr(path), HasSubstr("RENAME_EXCHANGE"),
                             HasSubstr("nothing was changed"))));
  EXPECT_THAT(NamesIn(dir.path()), ElementsAre("store"));
  ExpectStore(path, items, KeysBefore(GetParam()));
}

TEST_P(FailureTest, AnExchangeThatFailsChangesNothing) {
  const MemoryDir dir;
  const std::string path = dir.Path("store");
  const Items items = FillStore(GetParam(), path);
  for (const int error : {EBUSY, EIO}) {
    CopyOptions options = OptionsFor(path);
    options.on_progress = [&](Step step, uint64_t, uint64_t) {
      if (step == Step::kCheck) exchange_error = error;
      return true;
    };
    EXPECT_THAT(Copy(options).status().message(),
                HasSubstr("nothing was changed"));
    exchange_error = 0;
    EXPECT_THAT(NamesIn(dir.path()), ElementsAre("store"));
    ExpectStore(path, items, KeysBefore(GetParam()));
  }
  EXPECT_THAT(Copy(OptionsFor(path)), IsOk());
  ExpectStore(path, items, KeysAfter(GetParam()));
}

// A limit of the system makes a write fail as a broken disk would.
TEST_P(FailureTest, ADiskThatFailsUnderTheCopyChangesNothing) {
  const TempDir dir;
  const std::string path = dir.Path("store");
  const Items items = FillStore(GetParam(), path);
  const auto former_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit former;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &former), 0);
  rlimit limit = former;
  limit.rlim_cur = kCount * kSize / 2;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const absl::StatusOr<CopyReport> report = Copy(OptionsFor(path));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &former), 0);
  std::signal(SIGXFSZ, former_handler);
  EXPECT_THAT(report, StatusIs(absl::StatusCode::kUnknown,
                               AllOf(HasSubstr(path), HasSubstr("disk failed"),
                                     HasSubstr("nothing was changed"))));
  EXPECT_THAT(NamesIn(dir.path()), ElementsAre("store"));
  ExpectStore(path, items, KeysBefore(GetParam()));
}

}  // namespace
}  // namespace statecpp
