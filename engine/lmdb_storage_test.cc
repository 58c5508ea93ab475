// SPDX-License-Identifier: Apache-2.0
//
// What Storage promises, of the one there is: judging in order, all or nothing,
// snapshots, and a store that is full but not stuck.
#include "engine/lmdb_storage.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/errors.h"
#include "engine/lmdb_environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/storage_for_test.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;
using Outcome = Verdict::Outcome;

constexpr absl::StatusCode kFull = absl::StatusCode::kResourceExhausted;
constexpr uint64_t kMiB = uint64_t{1} << 20;

std::vector<Outcome> OutcomesOf(
    const absl::StatusOr<std::vector<Verdict>>& verdicts) {
  EXPECT_THAT(verdicts, IsOk());
  std::vector<Outcome> outcomes;
  if (!verdicts.ok()) return outcomes;
  for (const Verdict& verdict : *verdicts) outcomes.push_back(verdict.outcome);
  return outcomes;
}

auto Holds(absl::string_view value) {
  return IsOkAndHolds(Optional(Eq(std::string(value))));
}
auto IsEmptyPlace() { return IsOkAndHolds(Eq(std::nullopt)); }

TEST(LmdbStorageTest, JudgesABatchByWhatEarlierOnesOfItsGroupLeft) {
  StorageForTest storage;
  const Change first = storage.Put("a", "1", Expectation::Absent());
  const Change late = storage.Put("a", "late", Expectation::Absent());
  const Change second = storage.Put("a", "2", UnchangedSince(first));
  const Change stale = storage.Put("a", "stale", UnchangedSince(first));
  const Change gone = storage.Delete("a", UnchangedSince(second));
  const Change again = storage.Put("a", "3", Expectation::Absent());
  EXPECT_THAT(OutcomesOf(storage.Commit(
                  {{first}, {late}, {second}, {stale}, {gone}, {again}})),
              ElementsAre(Outcome::kCommitted, Outcome::kConflict,
                          Outcome::kCommitted, Outcome::kConflict,
                          Outcome::kCommitted, Outcome::kCommitted));
  EXPECT_THAT(storage.Read("a"), Holds("3"));
  EXPECT_TRUE(storage.IsWhole());
  EXPECT_EQ(storage->accumulator().records(), 1u);
}

TEST(LmdbStorageTest, ABatchThatFailsLeavesNoTrace) {
  StorageForTest storage;
  const Change old = storage.Put("old", "1");
  ASSERT_THAT(storage.Commit({{old}}), IsOk());
  const auto verdicts = storage.Commit(
      {{storage.Put("a", "1"), storage.Delete("old"),
        storage.Put("b", "1", Expectation::Unchanged("never was"))},
       {storage.Put("c", "1", Expectation::Absent()),
        storage.Keep("a", Expectation::Absent()),
        storage.Keep("old", UnchangedSince(old))}});
  EXPECT_THAT(OutcomesOf(verdicts),
              ElementsAre(Outcome::kConflict, Outcome::kCommitted));
  EXPECT_EQ((*verdicts)[0].conflict, 2u);
  EXPECT_THAT(storage.Read("a"), IsEmptyPlace());
  EXPECT_THAT(storage.Read("b"), IsEmptyPlace());
  EXPECT_THAT(storage.Read("c"), Holds("1"));
  EXPECT_THAT(storage.Read("old"), Holds("1"));
  EXPECT_TRUE(storage.IsWhole());
}

TEST(LmdbStorageTest, EveryExpectationIsComparedWithEveryState) {
  StorageForTest storage;
  const Change there = storage.Put("there", "1");
  const Change other = storage.Put("other", "1");
  ASSERT_THAT(storage.Commit({{there, other}}), IsOk());
  const auto judged = [&](std::string place, Expectation expect) {
    return OutcomesOf(
        storage.Commit({{storage.Keep(std::move(place), std::move(expect))}}));
  };
  const auto holds = ElementsAre(Outcome::kCommitted);
  const auto conflicts = ElementsAre(Outcome::kConflict);
  EXPECT_THAT(judged("there", Expectation::Any()), holds);
  EXPECT_THAT(judged("there", Expectation::Absent()), conflicts);
  EXPECT_THAT(judged("there", UnchangedSince(there)), holds);
  EXPECT_THAT(judged("there", UnchangedSince(other)), conflicts);
  EXPECT_THAT(judged("there", Expectation::Unchanged("")), conflicts);
  EXPECT_THAT(judged("absent", Expectation::Any()), holds);
  EXPECT_THAT(judged("absent", Expectation::Absent()), holds);
  EXPECT_THAT(judged("absent", UnchangedSince(there)), conflicts);
  EXPECT_THAT(judged("absent", Expectation::Unchanged("")), conflicts);
}

TEST(LmdbStorageTest, AGroupThatChangesNothingIsNoCommit) {
  StorageForTest storage;
  const uint64_t before = storage->accumulator().commit_seq();
  ASSERT_THAT(storage.Commit(
                  {{storage.Put("a", "1", Expectation::Unchanged("never was"))},
                   {storage.Keep("a", Expectation::Absent())}}),
              IsOk());
  EXPECT_EQ(storage->accumulator().commit_seq(), before);
  ASSERT_THAT(storage.Commit({{storage.Put("a", "1")}}), IsOk());
  EXPECT_EQ(storage->accumulator().commit_seq(), before + 1);
}

TEST(LmdbStorageTest, ASnapshotIsOneMoment) {
  StorageForTest storage;
  ASSERT_THAT(storage.Commit({{storage.Put("a", "1"), storage.Put("b", "1")}}),
              IsOk());
  const auto before = storage->Read().value();
  // As in the store: a thread holds one snapshot, and commits without.
  std::thread([&] {
    EXPECT_THAT(storage.Commit({{storage.Put("a", "2"), storage.Delete("b")}}),
                IsOk());
    EXPECT_THAT(storage.Read("a"), Holds("2"));
    EXPECT_THAT(storage.Read("b"), IsEmptyPlace());
  }).join();
  EXPECT_THAT(storage.ReadFrom(*before, "a"), Holds("1"));
  EXPECT_THAT(storage.ReadFrom(*before, "b"), Holds("1"));
}

TEST(LmdbStorageTest, KnowsTheSnapshotsThatAreHeldAndHowOldTheyAre) {
  StorageForTest storage;
  // A thread holds one snapshot, and does all else without.
  const auto figures = [&] {
    absl::StatusOr<LmdbStorage::Figures> read;
    std::thread([&] { read = storage->ReadFigures(); }).join();
    return *read;
  };
  const auto commit = [&](const char* key) {
    std::thread([&] {
      EXPECT_THAT(storage.Commit({{storage.Put(key, "1")}}), IsOk());
    }).join();
  };
  commit("a");
  EXPECT_EQ(figures().readers.readers, 0u);
  EXPECT_EQ(figures().readers.Lag(), 0u);
  {
    const auto held = storage->Read().value();
    EXPECT_EQ(figures().readers.readers, 1u);
    EXPECT_EQ(figures().readers.Lag(), 0u);
    commit("b");
    commit("c");
    EXPECT_EQ(figures().readers.Lag(), 2u);
  }
  EXPECT_EQ(figures().readers.readers, 0u);
  EXPECT_EQ(figures().readers.Lag(), 0u);
}

TEST(LmdbStorageTest, AScanGoesFromAKeyInOrderUntilItIsToldToStop) {
  StorageForTest storage;
  Batch batch;
  for (const char* key : {"c", "a", "e", "b", "d"}) {
    batch.push_back({.space = Space::kExpiry,
                     .key = key,
                     .verb = Change::Verb::kPut,
                     .value = "v"});
  }
  ASSERT_THAT(storage.Commit({batch}), IsOk());
  const auto scan = [&](Space space, absl::string_view from, size_t limit) {
    std::vector<std::string> keys;
    EXPECT_THAT(storage->Read().value()->Scan(
                    space, from,
                    [&](absl::string_view key, absl::string_view) {
                      keys.emplace_back(key);
                      return keys.size() < limit;
                    }),
                IsOk());
    return keys;
  };
  EXPECT_THAT(scan(Space::kExpiry, "", 9),
              ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(scan(Space::kExpiry, "bb", 2), ElementsAre("c", "d"));
  EXPECT_THAT(scan(Space::kExpiry, "f", 9), ElementsAre());
  EXPECT_THAT(scan(Space::kRecords, "", 9), ElementsAre());
}

// Fills with values of `size` bytes until one is refused; returns how many fit.
int Fill(StorageForTest& storage, size_t size) {
  for (int i = 0;; ++i) {
    const auto put = storage.Put(absl::StrCat("k", i), std::string(size, 'v'));
    const auto verdicts = storage.Commit({{put}});
    if (verdicts.ok()) continue;
    EXPECT_THAT(verdicts,
                StatusIs(kFull, AllOf(HasSubstr("the store is full"),
                                      HasSubstr("deletes still work"))));
    EXPECT_THAT(error::HttpCode(verdicts.status()), Optional(507));
    EXPECT_THAT(storage.Read(put.key), IsEmptyPlace());
    return i;
  }
}

// Of the store as it is, not as the write that is refused would have left it.
TEST(LmdbStorageTest, AFullStoreNamesWhatIsInUse) {
  StorageForTest storage(kMiB);
  Fill(storage, 3000);
  const uint64_t used = storage->UsedBytes().value();
  EXPECT_LE(used, kMiB);
  // What does not fit into maxSize, and what not even into the reserve.
  for (const uint64_t size : {uint64_t{3000}, kMiB}) {
    EXPECT_THAT(
        storage.Commit({{storage.Put("one more", std::string(size, 'v'))}}),
        StatusIs(kFull, HasSubstr(absl::StrCat("the store is full: ", used,
                                               " bytes of maxSize ", kMiB,
                                               " are in use"))));
  }
}

class FullStorageTest : public ::testing::TestWithParam<size_t> {};

TEST_P(FullStorageTest, TakesDeletesAndThenPutsAgain) {
  StorageForTest storage(kMiB);
  int fitted = 0;
  for (int round = 0; round < 4; ++round) {
    const int fits = Fill(storage, GetParam());
    // As many as the first time: nothing is lost to the rounds before.
    if (round == 0) fitted = fits;
    EXPECT_GE(fits, fitted * 9 / 10);
    EXPECT_GT(fits * GetParam(), kMiB / 5);
    EXPECT_TRUE(storage.IsWhole());
    // One at a time: each needs the reserve anew.
    for (int i = 0; i < fits; ++i) {
      ASSERT_THAT(storage.Commit({{storage.Delete(absl::StrCat("k", i))}}),
                  IsOk())
          << i << " of " << fits;
    }
    EXPECT_EQ(storage->accumulator().records(), 0u);
    EXPECT_TRUE(storage.IsWhole());
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, FullStorageTest,
                         ::testing::Values(100, 1500, 5000, 100'000));

TEST(LmdbStorageTest, AFullStoreReplacesNoValueByALargerOne) {
  StorageForTest storage(kMiB);
  const int fits = Fill(storage, 1500);
  EXPECT_THAT(storage.Commit({{storage.Put("k0", std::string(500'000, 'w'))}}),
              HasCode(kFull));
  EXPECT_THAT(storage.Read("k0"), Holds(std::string(1500, 'v')));
  // A put is held to max_size even where it comes with a delete.
  EXPECT_THAT(storage.Commit({{storage.Delete("k0"),
                               storage.Put("k1", std::string(99'999, 'w'))}}),
              HasCode(kFull));
  EXPECT_EQ(storage->accumulator().records(), static_cast<uint64_t>(fits));
  EXPECT_TRUE(storage.IsWhole());
}

TEST(LmdbStorageTest, AFullStoreTakesPutsOnceItHasGrown) {
  StorageForTest storage(kMiB);
  const int fits = Fill(storage, 1500);
  // With which it would not open again; and one with which it would.
  EXPECT_THAT(storage->GrowTo(kMiB / 2),
              HasCode(absl::StatusCode::kInvalidArgument));
  ASSERT_THAT(storage->GrowTo(kMiB - 65536), IsOk());
  EXPECT_EQ(storage->max_size(), kMiB);
  ASSERT_THAT(storage->GrowTo(4 * kMiB), IsOk());
  EXPECT_EQ(storage->max_size(), 4 * kMiB);
  EXPECT_GT(Fill(storage, 1500), 3 * fits);
  EXPECT_TRUE(storage.IsWhole());
}

TEST(LmdbStorageTest, GrowsWhileReadersAndWritersRun) {
  // Space that a slow reader pins is not free to the writer: room for that.
  StorageForTest storage(64 * kMiB);
  ASSERT_THAT(storage.Commit({{storage.Put("k", std::string(9000, '0'))}}),
              IsOk());
  std::atomic<bool> stop = false;
  std::atomic<int> reads = 0;
  std::atomic<int> writes = 0;
  // True as long as no thread gave up.
  const auto still_run = [&stop] {
    return !stop && !::testing::Test::HasFailure();
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (; still_run(); ++reads) {
        const auto value = storage.Read("k");
        ASSERT_THAT(value, IsOk());
        // Never torn: one write's bytes from end to end.
        ASSERT_EQ(**value, std::string(9000, (*value)->front()));
      }
    });
  }
  threads.emplace_back([&] {
    for (char c = '0'; still_run(); c = c == '9' ? '0' : c + 1, ++writes) {
      ASSERT_THAT(storage.Commit({{storage.Put("k", std::string(9000, c))}}),
                  IsOk());
    }
  });
  const auto wait_for_more = [&](const std::atomic<int>& count) {
    for (const int seen = count; count <= seen && still_run();) {
      std::this_thread::yield();
    }
  };
  for (uint64_t size = 65; size <= 80 && still_run(); ++size) {
    // Each growth meets traffic.
    wait_for_more(writes);
    wait_for_more(reads);
    EXPECT_THAT(storage->GrowTo(size * kMiB), IsOk());
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(storage->max_size(), 80 * kMiB);
  EXPECT_TRUE(storage.IsWhole());
}

TEST(LmdbStorageTest, OfTwoGrowthsAtOnceTheLargerStands) {
  StorageForTest storage(kMiB);
  for (uint64_t size = 2; size < 200; size += 2) {
    std::atomic<int> ready = 0;
    const auto grow = [&](uint64_t to) {
      ++ready;
      while (ready < 2) std::this_thread::yield();
      EXPECT_THAT(storage->GrowTo(to), IsOk());
    };
    std::thread smaller([&] { grow(size * kMiB); });
    grow((size + 1) * kMiB);
    smaller.join();
    ASSERT_EQ(storage->max_size(), (size + 1) * kMiB);
  }
}

TEST(LmdbStorageTest, OpensWithNoLessThanIsInUse) {
  StorageForTest storage;
  ASSERT_THAT(storage.Commit({{storage.Put("k", std::string(3 * kMiB, 'v'))}}),
              IsOk());
  const uint64_t used = storage->UsedBytes().value();
  EXPECT_GT(used, 3 * kMiB);
  EXPECT_THAT(storage.Reopen(kMiB),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(absl::StrCat(kMiB)),
                             HasSubstr(absl::StrCat("uses ", used)))));
  // A page short of it, as deletes may leave it, is the reserve's.
  EXPECT_THAT(storage.Reopen(used - 4096), IsOk());
  EXPECT_THAT(storage.Read("k"), Holds(std::string(3 * kMiB, 'v')));
  // Full, but not stuck.
  EXPECT_THAT(storage.Commit({{storage.Put("l", std::string(9000, 'v'))}}),
              HasCode(kFull));
  EXPECT_THAT(storage.Commit({{storage.Delete("k")}}), IsOk());
  EXPECT_THAT(storage.Commit({{storage.Put("l", std::string(9000, 'v'))}}),
              IsOk());
}

TEST(LmdbStorageTest, EachOpeningIsCountedBeforeAnythingIsRead) {
  StorageForTest storage;
  const Accumulator first = storage->accumulator();
  ASSERT_THAT(storage.Reopen(), IsOk());
  ASSERT_THAT(storage.Reopen(), IsOk());
  EXPECT_EQ(storage->accumulator().open_count(), first.open_count() + 2);
  EXPECT_EQ(storage->accumulator().commit_seq(), first.commit_seq() + 2);
}

TEST(LmdbStorageTest, AHighWaterMarkIsKept) {
  StorageForTest storage;
  const Batch batch = {storage.Put("a", "1")};
  const Batch* const group[] = {&batch};
  ASSERT_THAT(storage->Commit(group, 5000), IsOk());
  ASSERT_THAT(storage->Commit(group, 6000), IsOk());
  ASSERT_THAT(storage.Reopen(), IsOk());
  EXPECT_EQ(storage->accumulator().high_water_ms(), 6000);
}

// Writes behind the storage's back.
void Overwrite(StorageForTest& storage, LmdbEnvironment::Table table,
               absl::string_view key, std::optional<std::string> value) {
  storage.Close();
  const auto environment =
      LmdbEnvironment::Open(storage.folder(), 64 * kMiB, nullptr).value();
  LmdbEnvironment::WriteTransaction txn = environment->BeginWrite().value();
  if (value.has_value()) {
    ASSERT_THAT(txn.Put(table, key, *value), IsOk());
  } else {
    ASSERT_THAT(txn.Delete(table, key), IsOk());
  }
  ASSERT_THAT(txn.Commit(), IsOk());
}

TEST(LmdbStorageTest, IsNotOpenedWithoutItsHeaderOrAccumulator) {
  StorageForTest other;
  for (const char* key : {"header", "acc"}) {
    for (const auto& value :
         {std::optional<std::string>(), std::optional<std::string>(""),
          std::optional<std::string>("neither one nor the other")}) {
      StorageForTest storage;
      Overwrite(storage, LmdbEnvironment::Table::kMeta, key, value);
      EXPECT_THAT(storage.Reopen(), StatusIs(absl::StatusCode::kDataLoss,
                                             HasSubstr(storage.folder())))
          << key << " " << value.value_or("missing");
    }
  }
}

TEST(LmdbStorageTest, FindsRecordsThatItDidNotWrite) {
  // `make` gets a record that stood at "a" before.
  using Make = std::optional<std::string> (*)(std::string former);
  const auto is_found = [](absl::string_view place, Make make) {
    StorageForTest storage;
    const Change former = storage.Put("a", "1");
    EXPECT_THAT(storage.Commit({{former, storage.Put("b", "1")}}), IsOk());
    EXPECT_THAT(storage.Commit({{storage.Put("a", "2")}}), IsOk());
    EXPECT_TRUE(storage.IsWhole());
    Overwrite(storage, LmdbEnvironment::Table::kRecords, place,
              make(former.value));
    EXPECT_THAT(storage.Reopen(), IsOk());
    return !storage.IsWhole();
  };
  const Make same = [](std::string former) { return std::optional(former); };
  const Make none = [](std::string) { return std::optional<std::string>(); };
  const Make junk = [](std::string) { return std::optional<std::string>("x"); };
  EXPECT_TRUE(is_found("a", same)) << "replayed";
  EXPECT_TRUE(is_found("c", same)) << "planted";
  EXPECT_TRUE(is_found("b", none)) << "removed";
  EXPECT_TRUE(is_found("a", junk)) << "damaged";
}

}  // namespace
}  // namespace statecpp
