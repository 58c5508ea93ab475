// SPDX-License-Identifier: Apache-2.0
//
// A process that changes a store's keys over and over, killed two hundred times
// at any moment: while a slot is added or removed, while records are re-sealed
// under a new data key, while an old one is retired. After each kill:
//
//   - the store opens with exactly the keys that were acknowledged, but for the
//     change in hand, which was made whole or not at all;
//   - no item has another ETag, expiry, type or value than before;
//   - the records are those that the accumulator knows, under each data key;
//   - the rotation goes on by itself, and every former data key can go.
#include <cstdio>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/keys_status.h"
#include "engine/store.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crash/key_ledger.h"
#include "tests/crash/victim.h"
#include "tests/support/long_run.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

using Kind = KeyChange::Kind;

constexpr int kCycles = 100;  // on each of two file systems
constexpr int kCyclesAtAPoint = 10;
constexpr int kItems = 300;
constexpr absl::Duration kPatience = absl::Minutes(1);
constexpr absl::Duration kLongest = absl::Milliseconds(60);

// From the folder in which Bazel runs tests.
constexpr char kChanger[] = "tests/crash/key_changer";
constexpr char kChangerWithFailPoints[] =
    "tests/crash/key_changer_with_fail_points";

class KeyCrash {
 public:
  KeyCrash(std::string folder, uint64_t seed)
      : path_(folder + "/store"),
        ledger_file_(ledger_dir_.Path("ledger")),
        ledger_(*KeyLedger::Map(ledger_file_)),
        random_(seed) {}

  void MakeStore() {
    const auto store = Store::Open({.path = path_, .keys = KeyLedger::Keys(0)});
    ASSERT_THAT(store, IsOk());
    std::vector<WriteOp> ops;
    ops.push_back({.key = KeyLedger::CounterKey(), .value = "0"});
    for (int i = 0; i < kItems; ++i) {
      ops.push_back({.key = absl::StrCat("app||", i % 9, "||", i),
                     .value = std::string(i % 4 == 0 ? 3000 : i, 'v'),
                     .content_type = i % 2 == 0 ? "text/plain" : ""});
      if (i % 3 == 0) ops.back().ttl = absl::Hours(1 + i);
      keys_.push_back(ops.back().key);
    }
    for (const auto& result : (*store)->BulkWrite(std::move(ops))) {
      ASSERT_THAT(result, IsOk());
    }
    items_ = Items(**store);
    ledger_.has_slot[0] = true;
    ledger_.has_data_key[1] = true;
    ledger_.active_id = 1;
  }

  void RunAndKill() {
    Victim changer(NextChanger(kChanger));
    while (!ledger_.ready && !ledger_.complained) std::this_thread::yield();
    absl::SleepFor(kLongest * std::uniform_real_distribution<>(0, 1)(random_));
    changer.Kill();
    ASSERT_EQ(changer.Await(), "killed") << ledger_.complaint;
  }

  void RunToFailPoint(absl::string_view point) {
    const int passage = 1 + static_cast<int>(random_() % 10);
    Victim changer(NextChanger(kChangerWithFailPoints),
                   {AtFailPoint(point, passage)});
    ASSERT_EQ(changer.Await(), "killed") << ledger_.complaint;
  }

  void Check() {
    ASSERT_FALSE(ledger_.complained) << ledger_.complaint;
    const KeyChange in_hand = KeyChange::Of(ledger_.in_hand.exchange(0));
    ++killed_in_[static_cast<int>(in_hand.kind)];
    const std::unique_ptr<Store> store = OpenWithAnAcknowledgedKey(in_hand);
    ASSERT_NE(store, nullptr);
    CheckSlots(*store, in_hand);
    CheckDataKeys(*store, in_hand);
    EXPECT_EQ(Items(*store), items_);
    CheckCounter(*store);
    EXPECT_THAT(store->CheckIntegrity(), IsOk());
  }

  // Nothing that a kill left behind stands in the way.
  void RetireAllFormerKeys() {
    const std::unique_ptr<Store> store = OpenWithAnAcknowledgedKey({});
    ASSERT_NE(store, nullptr);
    ASSERT_TRUE(store->keys().WaitForResealer(kPatience));
    const absl::StatusOr<KeysStatus> status = store->keys().GetStatus();
    ASSERT_THAT(status, IsOk());
    for (const KeysStatus::DataKey& key : status->data_keys) {
      if (key.active) {
        EXPECT_EQ(key.records, uint64_t{kItems + 1});
        continue;
      }
      EXPECT_EQ(key.records, 0u);
      EXPECT_THAT(store->keys().Retire(key.id), IsOk());
      ledger_.has_data_key[key.id] = false;
    }
    EXPECT_EQ(Items(*store), items_);
    EXPECT_THAT(store->CheckIntegrity(), IsOk());
  }

  const KeyLedger& ledger() const { return ledger_; }
  // The ledger knows so many data keys and no more.
  bool has_room_to_rotate() const {
    return ledger_.active_id + 1 < KeyLedger::kMaxDataKeys;
  }
  int killed_in(Kind kind) const { return killed_in_[static_cast<int>(kind)]; }
  int came_through() const { return came_through_; }

 private:
  std::vector<std::string> NextChanger(const char* program) {
    ledger_.seed = random_();
    ledger_.ready = false;
    return {program, path_, ledger_file_};
  }

  // Everything that a caller can see of the items.
  std::vector<std::string> Items(const Store& store) const {
    std::vector<std::string> items;
    for (const std::string& key : keys_) {
      const auto item = store.Get(key);
      if (!item.ok() || !item->has_value()) {
        items.push_back(absl::StrCat(key, ": ", item.status().ToString()));
        continue;
      }
      items.push_back(absl::StrCat(
          key, " ", (*item)->etag.ToString(), " ", (*item)->content_type, " ",
          absl::FormatTime((*item)->expires.value_or(absl::InfiniteFuture())),
          " ", (*item)->value.size()));
    }
    return items;
  }

  std::unique_ptr<Store> OpenWithAnAcknowledgedKey(const KeyChange& in_hand) {
    for (uint64_t n = 0; n < KeyLedger::kMasterKeys; ++n) {
      if (!ledger_.has_slot[n] ||
          (in_hand.kind == Kind::kRemove && in_hand.number == n)) {
        continue;
      }
      absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(
          {.path = path_, .create = false, .keys = KeyLedger::Keys(n)});
      EXPECT_THAT(store, IsOk()) << "with key " << n;
      return store.ok() ? *std::move(store) : nullptr;
    }
    ADD_FAILURE() << "no key is left to open the store with";
    return nullptr;
  }

  void CheckSlots(const Store& store, const KeyChange& in_hand) {
    for (uint64_t n = 0; n < KeyLedger::kMasterKeys; ++n) {
      const bool opens = store.keys().CheckKeys(KeyLedger::Keys(n).get()).ok();
      const bool is_in_hand =
          (in_hand.kind == Kind::kAdd || in_hand.kind == Kind::kRemove) &&
          in_hand.number == n;
      if (is_in_hand) {
        came_through_ += opens != ledger_.has_slot[n];
        ledger_.has_slot[n] = opens;
      }
      EXPECT_EQ(opens, ledger_.has_slot[n]) << "key " << n;
    }
  }

  void CheckDataKeys(const Store& store, const KeyChange& in_hand) {
    const absl::StatusOr<KeysStatus> status = store.keys().GetStatus();
    ASSERT_THAT(status, IsOk());
    std::set<uint64_t> found;
    for (const KeysStatus::DataKey& key : status->data_keys) {
      found.insert(key.id);
      if (!key.active) continue;
      if (in_hand.kind == Kind::kRotate && key.id == in_hand.number) {
        ++came_through_;
        ledger_.active_id = key.id;
        ledger_.has_data_key[key.id] = true;
      }
      EXPECT_EQ(key.id, ledger_.active_id);
    }
    if (in_hand.kind == Kind::kRetire && !found.count(in_hand.number)) {
      ++came_through_;
      ledger_.has_data_key[in_hand.number] = false;
    }
    for (uint64_t id = 1; id <= ledger_.active_id; ++id) {
      EXPECT_EQ(found.count(id), ledger_.has_data_key[id]) << "data key " << id;
    }
  }

  void CheckCounter(const Store& store) {
    const auto item = store.Get(KeyLedger::CounterKey());
    uint64_t count = 0;
    ASSERT_THAT(item, IsOk());
    ASSERT_TRUE(item->has_value());
    ASSERT_TRUE(absl::SimpleAtoi((*item)->value, &count));
    EXPECT_GE(count, ledger_.increments_acknowledged);
    EXPECT_LE(count, ledger_.increments_begun);
    ledger_.increments_begun = count;
    ledger_.increments_acknowledged = count;
  }

  const std::string path_;
  const MemoryDir ledger_dir_;
  const std::string ledger_file_;
  KeyLedger& ledger_;
  std::mt19937_64 random_;
  std::vector<std::string> keys_;
  std::vector<std::string> items_;
  int killed_in_[5] = {};
  int came_through_ = 0;
};

void KillOftenIn(const std::string& folder, absl::string_view part) {
  const uint64_t seed = TestSeed();
  LongRun run("crash", part, seed);
  KeyCrash crash(folder, seed);
  ASSERT_NO_FATAL_FAILURE(crash.MakeStore());
  for (int cycle = 0; run.GoesOn(cycle, kCycles) && crash.has_room_to_rotate();
       ++cycle) {
    ASSERT_NO_FATAL_FAILURE(crash.RunAndKill());
    crash.Check();
    run.Count("kills", 1);
    run.Found("false", ::testing::Test::HasFailure() ? 1 : 0);
    if (cycle % 10 == 9) {
      ASSERT_NO_FATAL_FAILURE(crash.RetireAllFormerKeys());
    }
    ASSERT_FALSE(::testing::Test::HasFailure()) << "in cycle " << cycle;
  }
  static constexpr const char* kNames[] = {"nothing", "add", "remove", "rotate",
                                           "retire"};
  for (int kind = 0; kind < 5; ++kind) {
    std::printf("%s: %llu done, killed in %d\n", kNames[kind],
                static_cast<unsigned long long>(crash.ledger().done[kind]),
                crash.killed_in(static_cast<Kind>(kind)));
  }
  // The kills met all of it; a small part of what a busy machine does.
  for (const Kind kind :
       {Kind::kAdd, Kind::kRemove, Kind::kRotate, Kind::kRetire}) {
    EXPECT_GT(crash.ledger().done[static_cast<int>(kind)], 0u);
    EXPECT_GT(crash.killed_in(kind), 0);
  }
  EXPECT_GT(crash.came_through(), 0);
}

TEST(KeyKillTest, LeavesTheKeysThatWereAcknowledgedOnADisk) {
  const TempDir dir;
  KillOftenIn(dir.path(), "changes of keys, on a disk");
}

// Where a sync costs nothing, so that a kill meets code instead of a wait.
TEST(KeyKillTest, LeavesTheKeysThatWereAcknowledgedInMemory) {
  const MemoryDir dir;
  KillOftenIn(dir.path(), "changes of keys, in memory");
}

// Around the commit of a changed header, and of records that are sealed anew.
class KeyFailPointTest : public ::testing::TestWithParam<const char*> {};

TEST_P(KeyFailPointTest, LeavesTheKeysThatWereAcknowledged) {
  const MemoryDir dir;
  KeyCrash crash(dir.path(), TestSeed());
  ASSERT_NO_FATAL_FAILURE(crash.MakeStore());
  for (int cycle = 0; cycle < kCyclesAtAPoint; ++cycle) {
    ASSERT_NO_FATAL_FAILURE(crash.RunToFailPoint(GetParam()));
    ASSERT_NO_FATAL_FAILURE(crash.Check()) << "in cycle " << cycle;
  }
  ASSERT_NO_FATAL_FAILURE(crash.RetireAllFormerKeys());
}

INSTANTIATE_TEST_SUITE_P(All, KeyFailPointTest,
                         ::testing::Values("header.before-commit",
                                           "header.durable", "reseal.sealed",
                                           "reseal.durable"));

}  // namespace
}  // namespace statecpp
