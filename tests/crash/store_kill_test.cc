// SPDX-License-Identifier: Apache-2.0
//
// The library, killed at any moment: while a store is made, opened, written by
// many threads, swept or enlarged. After each kill:
//
//   - every acknowledged write is there, and no write that was refused;
//   - a write without an answer is there whole or not at all, transactions over
//     two keys included;
//   - increments that many threads made of one number are all counted;
//   - no ETag was issued twice;
//   - the records are those that the accumulator knows.
//
// A ledger in shared memory knows what was begun and what was acknowledged.
// That it would notice a store that breaks these is tested as well.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crash/shared_ledger.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"
#include "tests/support/test_seed.h"

extern char** environ;

namespace statecpp {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using Sabotage = SharedLedger::Sabotage;

constexpr int kCycles = 100;  // on each of two file systems
constexpr int kCreations = 100;
// Fewer than these, and the test proved nothing. A small part of what a busy
// machine does.
constexpr uint64_t kLeastAcknowledged = 5 * kCycles;
constexpr int kLeastUnanswered = kCycles / 2;

// From the folder in which Bazel runs tests.
constexpr char kWriterBinary[] = "tests/crash/store_writer";

// A store, the ledger of its writers, and what they ever did.
class Crash {
 public:
  Crash(std::string folder, uint64_t seed)
      : path_(folder + "/store"),
        ledger_file_(ledger_dir_.Path("ledger")),
        ledger_(*SharedLedger::Map(ledger_file_)),
        random_(seed) {}

  // Lets a writer run and kills it. It may be anywhere by then: in an opening
  // or, `after_opening`, for certain among its writes.
  void RunAndKill(absl::Duration longest, bool after_opening,
                  Sabotage sabotage = Sabotage::kNone) {
    ledger_.seed = random_();
    ledger_.threads = static_cast<int>(1 + Draw(8));
    // Now and then so little that the store is full until it has grown.
    ledger_.max_size_mib = Draw(3) == 0 ? used_mib_ + 1 : 64;
    ledger_.size_classes = 2 + Draw(Write::kSizeClasses - 1);
    ledger_.sweep = Draw(2) == 0;
    ledger_.sabotage = sabotage;
    ledger_.ready = false;
    ledger_.etag_count = 0;

    std::vector<std::string> words = {kWriterBinary, path_, ledger_file_};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t writer = 0;
    ASSERT_EQ(posix_spawn(&writer, kWriterBinary, nullptr, nullptr,
                          arguments.data(), environ),
              0);
    while (after_opening && !ledger_.ready && !ledger_.complained) {
      std::this_thread::yield();
    }
    absl::SleepFor(longest * std::uniform_real_distribution<>(0, 1)(random_));
    kill(writer, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(writer, &status, 0), writer);
    ASSERT_TRUE(WIFSIGNALED(status))
        << "the writer ended by itself: " << ledger_.complaint;
  }

  // What is there that may not be, and is missing that may not; none expected.
  // Takes what is there as the truth from then on.
  std::vector<std::string> Check() {
    violations_.clear();
    if (ledger_.complained) {
      Violation("the writer was answered: ", ledger_.complaint);
    }
    const absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = path_,
                     .keys = TestKeys(),
                     .cleanup_interval = absl::ZeroDuration()});
    if (!store.ok()) {
      Violation("the store does not open: ", store.status().ToString());
      return violations_;
    }
    CheckETags();
    for (int slot = 0; slot < SharedLedger::kSlots; ++slot) {
      CheckSlot(**store, slot);
    }
    CheckCounter(**store);
    used_mib_ = static_cast<int>((*store)->GetStats()->used_bytes >> 20) + 1;
    if (const absl::Status whole = (*store)->CheckIntegrity(); !whole.ok()) {
      Violation("the records are not whole: ", whole.ToString());
    }
    return violations_;
  }

  uint64_t acknowledged() const { return ledger_.acknowledged; }
  // Writes that were in hand at a kill, and were there or not afterwards.
  int came_through() const { return came_through_; }
  int came_to_nothing() const { return came_to_nothing_; }

 private:
  uint64_t Draw(uint64_t below) { return random_() % below; }

  template <typename... Words>
  void Violation(const Words&... words) {
    violations_.push_back(absl::StrCat(words...));
  }

  void CheckETags() {
    answered_lately_.clear();
    const uint32_t count =
        std::min<uint32_t>(ledger_.etag_count, SharedLedger::kMaxETags);
    for (uint32_t i = 0; i < count; ++i) {
      // The last ones may have been counted and not yet entered.
      const uint64_t etag = ledger_.etags[i].exchange(0);
      if (etag == 0) continue;
      answered_lately_.insert(etag);
      if (!etags_.insert(etag).second) {
        Violation("ETag ", ETag(etag).ToString(), " was issued twice");
      }
    }
  }

  void CheckSlot(const Store& store, int slot) {
    Slot& entry = ledger_.slots[slot];
    const Write settled(entry.acknowledged);
    const Write begun(entry.begun);
    bool is_settled = true;
    bool is_begun = true;
    std::vector<std::string> found;
    for (int side = 0; side < SharedLedger::KeysOf(slot); ++side) {
      const std::string key = SharedLedger::Key(slot, side);
      const absl::StatusOr<std::optional<Item>> item = store.Get(key);
      if (!item.ok()) return Violation(key, ": ", item.status().ToString());
      std::optional<std::string> value;
      if (item->has_value()) value = (*item)->value;
      found.push_back(value.has_value() ? value->substr(0, 40) : "nothing");
      is_settled &= value == settled.ValueAt(key);
      is_begun &= value == begun.ValueAt(key);
      if (value.has_value()) {
        CheckETag(key, (*item)->etag, entry.etags[side],
                  value == settled.ValueAt(key));
      }
    }
    if (!is_settled && !is_begun) {
      Violation("slot ", slot, " holds ", absl::StrJoin(found, " and "),
                "; acknowledged was ", settled.number(), ", begun ",
                begun.number());
    }
    if (begun.word() != settled.word()) {
      ++(is_settled ? came_to_nothing_ : came_through_);
    }
    if (!is_settled) entry.acknowledged = begun.word();
    entry.begun = entry.acknowledged.load();
  }

  // `answered` is entered in the ledger just before its write counts as
  // acknowledged, so it is also right about a write that came through.
  void CheckETag(const std::string& key, const ETag& etag,
                 std::atomic<uint64_t>& answered, bool is_settled) {
    if (etag.version() == answered) return;
    if (is_settled) {
      Violation(key, " has another ETag than was answered");
    } else if (!answered_lately_.contains(etag.version()) &&
               !etags_.insert(etag.version()).second) {
      Violation(key, " has an ETag that was issued before");
    }
    answered = etag.version();
  }

  void CheckCounter(const Store& store) {
    const auto item = store.Get(SharedLedger::CounterKey());
    uint64_t count = 0;
    if (!item.ok() ||
        (item->has_value() && !absl::SimpleAtoi((*item)->value, &count))) {
      Violation("the counter cannot be read: ", item.status().ToString());
      return;
    }
    if (count < ledger_.increments_acknowledged ||
        count > ledger_.increments_begun) {
      Violation("the counter is ", count, " after ",
                ledger_.increments_acknowledged.load(), " to ",
                ledger_.increments_begun.load(), " increments");
    }
    ledger_.increments_acknowledged = count;
    ledger_.increments_begun = count;
  }

  const std::string path_;
  const MemoryDir ledger_dir_;
  const std::string ledger_file_;
  SharedLedger& ledger_;
  std::mt19937_64 random_;
  absl::flat_hash_set<uint64_t> etags_;            // ever seen
  absl::flat_hash_set<uint64_t> answered_lately_;  // by the last writer
  std::vector<std::string> violations_;
  int used_mib_ = 1;
  int came_through_ = 0;
  int came_to_nothing_ = 0;
};

void KillOftenIn(const std::string& folder) {
  Crash crash(folder, TestSeed());
  for (int cycle = 0; cycle < kCycles; ++cycle) {
    const bool after_opening = cycle % 4 != 0;
    ASSERT_NO_FATAL_FAILURE(
        crash.RunAndKill(absl::Milliseconds(60), after_opening));
    ASSERT_THAT(crash.Check(), IsEmpty()) << "in cycle " << cycle;
  }
  std::printf(
      "%d kills, %llu writes acknowledged; of those in hand %d came "
      "through and %d did not\n",
      kCycles, static_cast<unsigned long long>(crash.acknowledged()),
      crash.came_through(), crash.came_to_nothing());
  EXPECT_GE(crash.acknowledged(), kLeastAcknowledged);
  // The kills came before commits and after them.
  EXPECT_GE(crash.came_through() + crash.came_to_nothing(), kLeastUnanswered);
  EXPECT_GT(crash.came_through(), 0);
  EXPECT_GT(crash.came_to_nothing(), 0);
}

TEST(StoreKillTest, LosesAndTearsNothingOnADisk) {
  const TempDir dir;
  KillOftenIn(dir.path());
}

// Where a sync costs nothing, so that a kill meets code instead of a wait.
TEST(StoreKillTest, LosesAndTearsNothingInMemory) {
  const MemoryDir dir;
  KillOftenIn(dir.path());
}

TEST(StoreKillTest, AStoreKilledWhileItIsMadeIsMadeTheNextTime) {
  const TempDir dir;
  std::mt19937_64 random(TestSeed());
  int whole = 0;
  int begun = 0;
  for (int i = 0; i < kCreations; ++i) {
    const std::string folder = dir.Path(absl::StrCat(i));
    ASSERT_TRUE(std::filesystem::create_directory(folder));
    Crash crash(folder, random());
    ASSERT_NO_FATAL_FAILURE(
        crash.RunAndKill(absl::Milliseconds(i % 2 == 0 ? 20 : 100),
                         /*after_opening=*/false));
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      ++(entry.path().filename() == "store" ? whole : begun);
    }
    ASSERT_THAT(crash.Check(), IsEmpty()) << "store " << i;
  }
  // Kills met all of it.
  std::printf("of %d stores %d were in place and %d were being made\n",
              kCreations, whole, begun);
  EXPECT_GT(whole, 0);
  EXPECT_GT(begun, 0);
}

class SabotageTest : public ::testing::TestWithParam<Sabotage> {};

TEST_P(SabotageTest, IsNoticed) {
  const MemoryDir dir;
  Crash crash(dir.path(), TestSeed());
  std::vector<std::string> violations;
  for (int cycle = 0; cycle < 30 && violations.empty(); ++cycle) {
    ASSERT_NO_FATAL_FAILURE(crash.RunAndKill(
        absl::Milliseconds(60), /*after_opening=*/true, GetParam()));
    violations = crash.Check();
  }
  EXPECT_THAT(violations, Not(IsEmpty()));
}

INSTANTIATE_TEST_SUITE_P(All, SabotageTest,
                         ::testing::Values(Sabotage::kAckUnwritten,
                                           Sabotage::kTearPairs,
                                           Sabotage::kRepeatETags));

}  // namespace
}  // namespace statecpp
