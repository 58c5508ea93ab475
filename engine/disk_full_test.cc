// SPDX-License-Identifier: Apache-2.0
//
// A store on a disk that fills up: puts are refused and say why, deletes and
// reads go on, and with space comes everything else back.
#include <atomic>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "engine/error_payload.h"
#include "engine/lmdb_environment.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/small_disk.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr absl::StatusCode kFull = absl::StatusCode::kResourceExhausted;
// More than what max_size makes the store keep for deletes.
constexpr int kDiskMiB = 24;
constexpr uint64_t kMaxSize = uint64_t{1} << 30;

class DiskFullTest : public ::testing::TestWithParam<SmallDisk::Kind> {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<SmallDisk>> disk =
        SmallDisk::Mount(GetParam(), kDiskMiB);
    if (!disk.ok()) GTEST_SKIP() << disk.status().message();
    disk_ = *std::move(disk);
    path_ = disk_->Path("store");
    Open();
  }

  void Open() {
    store_.reset();
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = path_,
                     .keys = TestKeys(),
                     .max_size = kMaxSize,
                     .cleanup_interval = absl::ZeroDuration(),
                     .on_failed = [](const absl::Status& cause) {
                       ADD_FAILURE()
                           << "a full disk stopped the store: " << cause;
                     }});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  static std::string ValueOf(int i, size_t size) {
    return std::string(size, static_cast<char>('a' + i % 26));
  }
  absl::Status Put(int i, size_t size) {
    return store_->Set({.key = absl::StrCat("k", i), .value = ValueOf(i, size)})
        .status();
  }

  static auto RefusedForTheDisk() {
    return StatusIs(
        kFull, AllOf(HasSubstr("the disk of "), HasSubstr("store"),
                     HasSubstr("is full"), HasSubstr("nothing was written"),
                     HasSubstr("deletes still work")));
  }

  // Puts k0, k1, ... until one is refused; how many were not.
  int Fill(size_t size) {
    for (int i = 0;; ++i) {
      const absl::Status put = Put(i, size);
      if (put.ok()) continue;
      EXPECT_THAT(put, RefusedForTheDisk());
      EXPECT_THAT(error::HttpCode(put), Optional(507));
      EXPECT_THAT(store_->Get(absl::StrCat("k", i)), IsOkAndHolds(IsMissing()));
      return i;
    }
  }
  void ExpectAll(int count, size_t size) {
    for (int i = 0; i < count; ++i) {
      ASSERT_THAT(store_->Get(absl::StrCat("k", i)),
                  IsOkAndHolds(HasValue(ValueOf(i, size))));
    }
    EXPECT_EQ(store_->GetStats()->records, static_cast<uint64_t>(count));
    EXPECT_THAT(store_->CheckIntegrity(), IsOk());
  }
  void DeleteAll(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_THAT(store_->Delete({.key = absl::StrCat("k", i)}), IsOk())
          << i << " of " << count << ", " << disk_->Free() << " bytes free";
    }
  }

  std::unique_ptr<SmallDisk> disk_;
  std::string path_;
  std::unique_ptr<Store> store_;
};

TEST_P(DiskFullTest, DeletesMakeRoomForPutsAgain) {
  for (const size_t size : {size_t{40'000}, size_t{300'000}}) {
    int fitted = 0;
    for (int round = 0; round < 2; ++round) {
      const int count = Fill(size);
      if (round == 0) fitted = count;
      EXPECT_GE(count, fitted * 9 / 10);
      EXPECT_GT(count * size, uint64_t{4} << 20);
      ExpectAll(count, size);
      DeleteAll(count);
      ExpectAll(0, size);
    }
  }
}

TEST_P(DiskFullTest, SpaceThatOthersFreeIsFound) {
  ASSERT_THAT(Put(0, 900), IsOk());
  disk_->FillUpTo(0);
  const int count = Fill(40'000);
  ExpectAll(count, 40'000);
  disk_->DropBallast();
  EXPECT_GT(Fill(40'000), count + 100);
}

TEST_P(DiskFullTest, NotEvenTheLastBlockIsNeededToDelete) {
  const int count = Fill(40'000);
  disk_->FillUpTo(0);
  EXPECT_LT(disk_->Free(), uint64_t{8192});
  ExpectAll(count, 40'000);
  DeleteAll(count);
  ExpectAll(0, 40'000);
  EXPECT_THAT(Put(0, 900), IsOk());
}

TEST_P(DiskFullTest, AFullStoreOpensAgain) {
  const int count = Fill(40'000);
  disk_->FillUpTo(0);
  for (int i = 0; i < 5; ++i) {
    Open();
    ExpectAll(count, 40'000);
    EXPECT_THAT(Put(count, 40'000), RefusedForTheDisk());
  }
  DeleteAll(count);
  EXPECT_THAT(Put(0, 40'000), IsOk());
  Open();
  ExpectAll(1, 40'000);
}

TEST_P(DiskFullTest, AStoreThatFindsNoSpaceIsNotMadeInPart) {
  store_.reset();
  disk_->FillUpTo(0);
  const std::string second = disk_->Path("second");
  EXPECT_THAT(Store::Open({.path = second, .keys = TestKeys()}),
              HasCode(kFull));
  std::set<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(disk_->Path("."))) {
    names.insert(entry.path().filename().string());
  }
  names.erase("lost+found");
  EXPECT_EQ(names, (std::set<std::string>{"ballast", "store"}));
  disk_->DropBallast();
  EXPECT_THAT(Store::Open({.path = second, .keys = TestKeys()}), IsOk());
}

// LMDB's table of readers is a mapped file: a slot that nobody took before must
// not be a hole, for which a full disk has no block.
TEST_P(DiskFullTest, ManyReadersAtOnceFindTheirSlots) {
  constexpr int kReaders = 200;
  store_.reset();
  const auto environment =
      LmdbEnvironment::Open(path_, kMaxSize, nullptr).value();
  disk_->FillUpTo(0);
  absl::Barrier* const all_read = new absl::Barrier(kReaders);
  std::vector<std::thread> threads;
  for (int t = 0; t < kReaders; ++t) {
    threads.emplace_back([&] {
      const auto reader = environment->BeginRead();
      EXPECT_THAT(reader, IsOk());
      if (all_read->Block()) delete all_read;
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(DiskFullTest, WhatWasAcknowledgedByManyThreadsIsThere) {
  constexpr int kThreads = 4;
  std::vector<std::set<int>> there(kThreads);
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; refused < 40 && i < 100'000; ++i) {
        const int key = i * kThreads + t;
        const absl::Status put = Put(key, 30'000);
        if (put.ok()) {
          there[t].insert(key);
        } else {
          ++refused;
          ASSERT_THAT(put, HasCode(kFull));
        }
        // In a full store every refusal is followed by a delete.
        if (put.ok() ? i % 10 != 0 : there[t].empty()) continue;
        const int victim = *there[t].begin();
        ASSERT_THAT(store_->Delete({.key = absl::StrCat("k", victim)}), IsOk());
        there[t].erase(victim);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(refused, 40);
  Open();
  uint64_t count = 0;
  for (const std::set<int>& keys : there) {
    count += keys.size();
    for (const int key : keys) {
      ASSERT_THAT(store_->Get(absl::StrCat("k", key)),
                  IsOkAndHolds(HasValue(ValueOf(key, 30'000))));
    }
  }
  EXPECT_EQ(store_->GetStats()->records, count);
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
}

INSTANTIATE_TEST_SUITE_P(FileSystems, DiskFullTest,
                         ::testing::Values(SmallDisk::Kind::kTmpfs,
                                           SmallDisk::Kind::kExt4),
                         [](const auto& info) {
                           return info.param == SmallDisk::Kind::kTmpfs
                                      ? "Tmpfs"
                                      : "Ext4";
                         });

}  // namespace
}  // namespace statecpp
