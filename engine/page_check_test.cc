// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with LMDB's own pages is found by a look at them, page by page,
// before LMDB trusts them. The pages of a store that was used for long are in
// order; each that is changed is not.
#include "engine/page_check.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/coding.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/damaged_store.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Kind = WalkFinding::Kind;

constexpr size_t kPage = 4096;

constexpr uint16_t kBranch = 1;
constexpr uint16_t kLeaf = 2;
constexpr uint16_t kOverflow = 4;

class PageCheckTest : public DamagedStoreTest {
 protected:
  // Trees of more than one level, values in pages of their own, free pages.
  void Fill(int items) {
    for (int i = 0; i < items; ++i) {
      WriteOp op = {.key = absl::StrCat("key||", i),
                    .value = std::string(i % 10 == 3 ? 9000 : 300, 'v')};
      if (i % 3 == 0) op.ttl = absl::Hours(1 + i % 7);
      ASSERT_THAT(store().Set(std::move(op)), IsOk());
    }
    for (int i = 0; i < items; i += 5) {
      ASSERT_THAT(store().Delete({.key = absl::StrCat("key||", i)}), IsOk());
    }
  }

  std::string ReadFile() {
    Close();
    std::ifstream in(path_ + "/data.mdb", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void WriteFile(const std::string& bytes) {
    Close();
    std::ofstream(path_ + "/data.mdb", std::ios::binary) << bytes;
  }

  std::vector<std::string> Look() {
    Close();
    const int fd = open((path_ + "/data.mdb").c_str(), O_RDONLY | O_CLOEXEC);
    std::vector<std::string> found;
    PageCheck::Of(fd).value().Run(
        [&found](uint64_t page, absl::string_view what) {
          found.push_back(absl::StrCat("page ", page, ": ", what));
        });
    close(fd);
    return found;
  }
};

template <typename Number>
Number At(const std::string& bytes, size_t offset) {
  return LoadFixed<Number>(bytes.data() + offset);
}
template <typename Number>
void Put(std::string& bytes, size_t offset, Number number) {
  std::memcpy(bytes.data() + offset, &number, sizeof(number));
}

TEST_F(PageCheckTest, APageOfAStoreThatWasUsedForLongIsInOrder) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 200; ++i) {
      std::vector<WriteOp> ops;
      const size_t count = 1 + random() % 20;
      for (size_t k = 0; k < count; ++k) {
        WriteOp op = {.key = absl::StrCat("k||", random() % 3000)};
        if (random() % 3 == 0) op.kind = WriteOp::Kind::kDelete;
        op.value = std::string(
            random() % 8 == 0 ? random() % 30000 : random() % 500, 'v');
        if (random() % 4 == 0) op.ttl = absl::Seconds(1 + random() % 100000);
        ops.push_back(std::move(op));
      }
      for (const auto& result : store().BulkWrite(std::move(ops))) {
        ASSERT_THAT(result, IsOk());
      }
    }
    clock_.Advance(absl::Hours(1));
    ASSERT_THAT(store().Sweep(), IsOk());
    if (round % 10 == 9) {
      std::vector<WriteOp> ops;
      for (int i = 0; i < 3000; ++i) {
        ops.push_back(
            {.kind = WriteOp::Kind::kDelete, .key = absl::StrCat("k||", i)});
      }
      for (const auto& result : store().BulkWrite(std::move(ops))) {
        ASSERT_THAT(result, IsOk());
      }
    }
    ASSERT_THAT(store().CheckIntegrity(), IsOk()) << round;
    ASSERT_THAT(Look(), IsEmpty()) << round;
    Open();
  }
}

// Every page that holds something, and every bit of its number, kind and lower
// bound.
TEST_F(PageCheckTest, EveryBitOfAHeaderCounts) {
  Fill(150);
  uint64_t live = 0;
  {
    Close();
    const auto environment = LmdbEnvironment::Open(path_, 0, nullptr).value();
    live = environment->BeginRead()->LivePages().value();
  }
  const std::string whole = ReadFile();
  ASSERT_THAT(Look(), IsEmpty());
  uint64_t used = 2;  // the meta pages
  int branches = 0;
  int overflows = 0;
  for (size_t page = 2; page < whole.size() / kPage; ++page) {
    const size_t at = page * kPage;
    const uint16_t kind = At<uint16_t>(whole, at + 10);
    const auto found_with = [&](size_t byte, int bit) {
      std::string damaged = whole;
      damaged[at + byte] ^= 1 << bit;
      WriteFile(damaged);
      return !Look().empty();
    };
    if (!found_with(0, 0)) continue;  // free
    used += kind == kOverflow ? At<uint32_t>(whole, at + 12) : 1;
    branches += kind == kBranch;
    overflows += kind == kOverflow;
    for (size_t byte : {0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13}) {
      for (int bit = 0; bit < 8; ++bit) {
        EXPECT_TRUE(found_with(byte, bit))
            << "page " << page << " byte " << byte << " bit " << bit;
      }
    }
  }
  EXPECT_EQ(used, live);
  EXPECT_GT(branches, 0);
  EXPECT_GT(overflows, 0);
}

// Every bit of what the meta page says of its trees.
TEST_F(PageCheckTest, EveryBitOfATreeCounts) {
  Fill(60);
  const std::string whole = ReadFile();
  constexpr size_t kTransactionAt = 144;
  const size_t meta = At<uint64_t>(whole, kTransactionAt) >
                              At<uint64_t>(whole, kPage + kTransactionAt)
                          ? 0
                          : kPage;
  constexpr size_t kFreeTree = 40;
  constexpr size_t kMainTree = 88;
  for (const size_t tree : {kFreeTree, kMainTree}) {
    for (size_t byte = 4; byte < 48; ++byte) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = whole;
        damaged[meta + tree + byte] ^= 1 << bit;
        WriteFile(damaged);
        EXPECT_THAT(Look(), Not(IsEmpty()))
            << "tree at " << tree << " byte " << byte << " bit " << bit;
      }
    }
  }
}

// The next commits would write over it.
TEST_F(PageCheckTest, APageThatIsFreeAndUsedIsFound) {
  Fill(150);
  const std::string whole = ReadFile();
  // The lists of free pages: leaves, in use, whose keys are transactions.
  int lists = 0;
  for (size_t page = 2; page < whole.size() / kPage; ++page) {
    const size_t at = page * kPage;
    if (At<uint64_t>(whole, at) != page ||
        At<uint16_t>(whole, at + 10) != kLeaf)
      continue;
    const size_t node = at + At<uint16_t>(whole, at + 16);
    if (At<uint16_t>(whole, node + 6) != 8 ||
        At<uint16_t>(whole, node + 4) != 0) {
      continue;
    }
    const size_t list = node + 8 + 8;
    if (At<uint64_t>(whole, list) == 0) continue;
    const auto look_with = [&](uint64_t free_page) {
      std::string damaged = whole;
      Put<uint64_t>(damaged, list + 8, free_page);
      WriteFile(damaged);
      return Look();
    };
    // A leaf that no longer holds anything is none of these.
    if (look_with(1).empty()) continue;
    ++lists;
    EXPECT_THAT(look_with(page),
                Contains(AnyOf(HasSubstr("is free, and is none or used"),
                               HasSubstr("out of order"))));
    EXPECT_THAT(look_with(uint64_t{1} << 40), Not(IsEmpty()));
    // Of this list itself: the same page twice.
    if (At<uint64_t>(whole, list) > 1) {
      EXPECT_THAT(look_with(At<uint64_t>(whole, list + 16)),
                  Contains(HasSubstr("out of order")));
    }
    std::string damaged = whole;
    Put<uint64_t>(damaged, list, At<uint64_t>(whole, list) + 1);
    WriteFile(damaged);
    EXPECT_THAT(Look(), Contains(HasSubstr("is not one")));
  }
  EXPECT_GT(lists, 0);
}

// A separator that leads look-ups astray hides records from them, and a scan
// still reaches these.
TEST_F(PageCheckTest, ARecordThatIsHiddenFromLookUpsIsNamed) {
  Fill(150);
  const std::string whole = ReadFile();
  int hidden = 0;
  for (size_t page = 2; page < whole.size() / kPage; ++page) {
    const size_t at = page * kPage;
    if (At<uint64_t>(whole, at) != page ||
        At<uint16_t>(whole, at + 10) != kBranch) {
      continue;
    }
    // The second node's key, now after all others.
    const size_t node = at + At<uint16_t>(whole, at + 18);
    std::string damaged = whole;
    for (size_t i = 0; i < At<uint16_t>(whole, node + 6); ++i) {
      damaged[node + 8 + i] = '\xff';
    }
    WriteFile(damaged);
    const Verified verified = Verify();
    if (verified.report->clean()) continue;  // a page that is free by now
    EXPECT_THAT(verified.findings,
                Contains(AllOf(Field(&WalkFinding::kind, Kind::kTree),
                               Field(&WalkFinding::reason,
                                     HasSubstr("keys are out of order")))));
    Open();
    const uint64_t named = static_cast<uint64_t>(
        std::count_if(verified.findings.begin(), verified.findings.end(),
                      [](const WalkFinding& finding) {
                        return finding.kind == Kind::kHidden;
                      }));
    uint64_t missing = 0;
    for (int i = 0; i < 150; ++i) {
      const auto item = store().Get(absl::StrCat("key||", i));
      EXPECT_THAT(item, IsOk());
      if (i % 5 != 0 && !item->has_value()) ++missing;
    }
    EXPECT_EQ(named, missing);
    hidden += missing > 0;
    // It cannot be accepted away.
    EXPECT_FALSE(
        Verify({.accept = true, .drop_damaged = true}).report->accepted);
  }
  EXPECT_GT(hidden, 0);
}

// A table whose name was damaged is not made anew, without its records.
TEST_F(PageCheckTest, AMissingTableIsDamage) {
  Fill(20);
  std::string bytes = ReadFile();
  for (size_t at = 0; (at = bytes.find("records", at)) != std::string::npos;) {
    bytes[at] = 'R';
  }
  WriteFile(bytes);
  EXPECT_THAT(Store::Open(StoreOptions()),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("the table records is missing")));
  EXPECT_THAT(
      Verify().findings,
      Contains(AllOf(Field(&WalkFinding::kind, Kind::kTree),
                     Field(&WalkFinding::reason,
                           HasSubstr("the table records is missing")))));
}

}  // namespace
}  // namespace statecpp
