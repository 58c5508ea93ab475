// SPDX-License-Identifier: Apache-2.0
//
// A store whose file was cut, emptied or replaced is refused in words. Without
// the check LMDB would take an empty file for a new store, and a short one
// would end this process with SIGBUS.
#include "engine/lmdb_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;
constexpr uint64_t kPage = 4096;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void WriteFile(const std::string& path, absl::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

class LmdbFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(sysconf(_SC_PAGESIZE), static_cast<long>(kPage));
    absl::StatusOr<std::unique_ptr<Store>> store = Open();
    ASSERT_THAT(store, IsOk());
    for (int i = 0; i < 50; ++i) {
      ASSERT_THAT((*store)->Set({.key = absl::StrCat("key", i),
                                 .value = std::string(1500, 'v')}),
                  IsOk());
    }
    store->reset();
    whole_ = ReadFile(file_);
    ASSERT_EQ(whole_.size() % kPage, 0u);
  }

  absl::StatusOr<std::unique_ptr<Store>> Open() {
    return Store::Open({.path = dir_.Path("store"), .keys = TestKeys()});
  }

  // Both the check and Open refuse these bytes, and leave them as they are.
  void ExpectRefused(absl::string_view bytes, absl::string_view words) {
    WriteFile(file_, bytes);
    const auto refused =
        StatusIs(kDataLoss, AllOf(HasSubstr(file_), HasSubstr(words),
                                  HasSubstr("nothing was opened or changed")));
    EXPECT_THAT(CheckLmdbFile(file_), refused);
    EXPECT_THAT(Open(), refused);
    EXPECT_EQ(ReadFile(file_), std::string(bytes));
  }

  TempDir dir_;
  const std::string file_ = dir_.Path("store/data.mdb");
  std::string whole_;
};

TEST_F(LmdbFileTest, AWholeFileIsTaken) {
  EXPECT_THAT(CheckLmdbFile(file_), IsOk());
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(LmdbFileTest, AFileLongerThanItsMetaPageSaysIsTaken) {
  WriteFile(file_, absl::StrCat(whole_, std::string(3 * kPage + 7, 'x')));
  EXPECT_THAT(CheckLmdbFile(file_), IsOk());
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(LmdbFileTest, AnEmptyFileIsNoNewStore) {
  ExpectRefused("", "it is empty");
}

TEST_F(LmdbFileTest, AFileCutShortIsRefusedWithBothSizes) {
  const absl::string_view whole = whole_;
  ExpectRefused(whole.substr(0, 100), "its 100 bytes do not begin");
  ExpectRefused(whole.substr(0, kPage), "its 4096 bytes do not begin");
  const uint64_t pages = whole_.size() / kPage;
  const std::string needs = absl::StrCat("and needs ", pages);
  ExpectRefused(whole.substr(0, 2 * kPage), absl::StrCat("has 2 pages"));
  ExpectRefused(whole.substr(0, pages / 2 * kPage),
                absl::StrCat("has ", pages / 2, " pages"));
  ExpectRefused(whole.substr(0, whole.size() - kPage), needs);
  ExpectRefused(whole.substr(0, whole.size() - 1), needs);
}

TEST_F(LmdbFileTest, AFileOfOtherBytesIsRefused) {
  ExpectRefused(std::string(1000, '\xa5'), "do not begin with two meta pages");
  ExpectRefused(std::string(whole_.size(), '\0'), "do not begin");
  ExpectRefused("SQLite format 3", "do not begin");
}

// The second meta page of another file, of another format, of another page
// size.
TEST_F(LmdbFileTest, EitherMetaPageAloneIsNotEnough) {
  for (const uint64_t page : {uint64_t{0}, kPage}) {
    for (const uint64_t offset : {16, 20, 40}) {  // magic, version, page size
      std::string bytes = whole_;
      bytes[page + offset + 1] ^= 0x41;
      ExpectRefused(bytes, "do not begin with two meta pages");
    }
  }
}

TEST_F(LmdbFileTest, TheNewerMetaPageCounts) {
  constexpr uint64_t kTxnIdAt = 144;
  constexpr uint64_t kLastPageAt = 136;
  const uint64_t newer =
      whole_[kTxnIdAt] > whole_[kPage + kTxnIdAt] ? 0 : kPage;
  const uint64_t older = kPage - newer;
  std::string bytes = whole_;
  bytes[older + kLastPageAt + 2] = 1;
  WriteFile(file_, bytes);
  EXPECT_THAT(CheckLmdbFile(file_), IsOk());

  bytes = whole_;
  bytes[newer + kLastPageAt + 2] = 1;
  ExpectRefused(bytes, "and needs");
}

// LMDB would take the state before the last commit for the newest, or a page
// that holds none.
TEST_F(LmdbFileTest, MetaPagesOfTransactionsThatDoNotFollowAreRefused) {
  constexpr uint64_t kTxnIdAt = 144;
  for (const uint64_t page : {uint64_t{0}, kPage}) {
    for (int bit = 0; bit < 64; ++bit) {
      std::string bytes = whole_;
      bytes[page + kTxnIdAt + bit / 8] ^= 1 << bit % 8;
      WriteFile(file_, bytes);
      EXPECT_THAT(CheckLmdbFile(file_),
                  StatusIs(kDataLoss,
                           HasSubstr("its meta pages are of the transactions")))
          << "page at " << page << " bit " << bit;
    }
  }
  std::string swapped = whole_;
  swapped.replace(0, kPage, whole_, kPage, kPage);
  swapped.replace(kPage, kPage, whole_, 0, kPage);
  ExpectRefused(swapped, "do not follow each other");
}

TEST_F(LmdbFileTest, WhatIsNoFileIsRefused) {
  ASSERT_EQ(unlink(file_.c_str()), 0);
  EXPECT_THAT(CheckLmdbFile(file_), HasCode(absl::StatusCode::kNotFound));
  ASSERT_EQ(mkdir(file_.c_str(), 0700), 0);
  EXPECT_THAT(CheckLmdbFile(file_),
              StatusIs(kDataLoss, HasSubstr("not a regular file")));
  EXPECT_THAT(Open(), StatusIs(kDataLoss, HasSubstr("not a regular file")));
}

}  // namespace
}  // namespace statecpp
