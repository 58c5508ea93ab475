// SPDX-License-Identifier: Apache-2.0
//
// What a backup is found to lack of a range of keys, and what goes that it has
// too many.
#include "engine/backup_range.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "crypto/random.h"
#include "engine/store_header.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

using Records = std::map<std::string, std::string>;

class RecordsSnapshot final : public Snapshot {
 public:
  explicit RecordsSnapshot(const Records& records) : records_(records) {}

  absl::StatusOr<std::optional<absl::string_view>> Get(
      Space, absl::string_view key) const override {
    const auto found = records_.find(std::string(key));
    if (found == records_.end()) return std::nullopt;
    return found->second;
  }

  absl::Status Scan(
      Space, absl::string_view from,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>
          visit) const override {
    for (auto at = records_.lower_bound(std::string(from));
         at != records_.end() && visit(at->first, at->second); ++at) {
    }
    return absl::OkStatus();
  }

 private:
  const Records records_;
};

class BackupRangeTest : public ::testing::Test {
 protected:
  static std::string KeyOf(int i) { return absl::StrCat("key", 100'000 + i); }

  void Write(const Records& records) {
    for (const auto& [key, record] : records) {
      ASSERT_THAT(file_->Put(Space::kRecords, key, record), IsOk());
    }
  }

  // Of a store that holds those records; its snapshot is gone by now.
  static BackupRange Look(const Records& records, const std::string& from = "",
                          const BackupBounds& bounds = {}) {
    return BackupRange::Of(RecordsSnapshot(records), Space::kRecords, from,
                           bounds)
        .value();
  }

  Records InFile() {
    Records records;
    EXPECT_THAT(
        file_->Scan(Space::kRecords, "",
                    [&](absl::string_view key, absl::string_view value) {
                      records.emplace(key, value);
                      return true;
                    }),
        IsOk());
    return records;
  }

  const MemoryDir dir_;
  absl::StatusOr<BackupFile> file_ = BackupFile::Open(
      dir_.path(), NewPlainHeader(SystemRandom()), uint64_t{64} << 20, nullptr);
};

TEST_F(BackupRangeTest, LacksAllWhereNothingIsThere) {
  const BackupRange range = Look({{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(range.looked(), 2u);
  EXPECT_EQ(range.next(), std::nullopt);
  EXPECT_THAT(range.Compare(*file_),
              IsOkAndHolds(ElementsAre(Pair(Space::kRecords, "a"),
                                       Pair(Space::kRecords, "b"))));
}

TEST_F(BackupRangeTest, LacksWhatIsMissingOrAnother) {
  Write({{"a", "1"}, {"b", "2"}, {"c", "33"}});
  const BackupRange range =
      Look({{"a", "1"}, {"b", "x"}, {"c", "3"}, {"d", "4"}});
  EXPECT_THAT(range.Compare(*file_),
              IsOkAndHolds(ElementsAre(Pair(Space::kRecords, "b"),
                                       Pair(Space::kRecords, "c"),
                                       Pair(Space::kRecords, "d"))));
}

TEST_F(BackupRangeTest, DropsWhatTheStoreDoesNotHaveBetweenItsKeysAlone) {
  Write({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"e", "5"}});
  const BackupRange range =
      Look({{"a", "1"}, {"c", "3"}, {"e", "5"}}, "b", {.looks = 1});
  EXPECT_THAT(range.next(), Optional(std::string("e")));
  EXPECT_THAT(range.Compare(*file_), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(InFile(),
              ElementsAre(Pair("a", "1"), Pair("c", "3"), Pair("e", "5")));
}

// More than are held in memory at once.
TEST_F(BackupRangeTest, DropsAnyNumber) {
  constexpr int kCount = 10'000;
  Records records;
  for (int i = 0; i < kCount; ++i) records.emplace(KeyOf(i), "v");
  Write(records);
  const Records kept = {{KeyOf(17), "v"}, {KeyOf(9000), "v"}};
  EXPECT_THAT(Look(kept).Compare(*file_), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(InFile(), kept);
}

}  // namespace
}  // namespace statecpp
