// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/store_crash.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

// From the folder in which Bazel runs tests.
constexpr char kWriter[] = "tests/crash/store_writer";
constexpr char kWriterWithFailPoints[] =
    "tests/crash/store_writer_with_fail_points";

}  // namespace

StoreCrash::StoreCrash(const std::string& folder, uint64_t seed)
    : path_(folder + "/store"),
      ledger_file_(ledger_dir_.Path("ledger")),
      ledger_(*SharedLedger::Map(ledger_file_)),
      random_(seed) {}

std::vector<std::string> StoreCrash::NextWriter(absl::string_view program) {
  ledger_.seed = random_();
  ledger_.threads = static_cast<int>(1 + Draw(8));
  // Now and then so little that the store is full until it has grown.
  ledger_.max_size_mib = Draw(3) == 0 ? used_mib_ + 1 : 64;
  ledger_.size_classes = 2 + Draw(Write::kSizeClasses - 1);
  ledger_.sweep = Draw(2) == 0;
  ledger_.ready = false;
  ledger_.etag_count = 0;
  return {std::string(program), path_, ledger_file_};
}

void StoreCrash::RunAndKill(absl::Duration longest, bool after_opening) {
  Victim writer(NextWriter(kWriter));
  KillWithin(longest, after_opening, writer);
}

void StoreCrash::RunSabotaged(absl::Duration longest,
                              absl::string_view sabotage) {
  Victim writer(NextWriter(kWriterWithFailPoints),
                {absl::StrCat("STATECPP_SABOTAGE=", sabotage)});
  KillWithin(longest, /*after_opening=*/true, writer);
}

void StoreCrash::KillWithin(absl::Duration longest, bool after_opening,
                            Victim& writer) {
  while (after_opening && !ledger_.ready && !ledger_.complained) {
    std::this_thread::yield();
  }
  absl::SleepFor(longest * std::uniform_real_distribution<>(0, 1)(random_));
  writer.Kill();
  ASSERT_EQ(writer.Await(), "killed") << ledger_.complaint;
}

void StoreCrash::RunToFailPoint(absl::string_view name, int passage) {
  std::vector<std::string> words = NextWriter(kWriterWithFailPoints);
  ledger_.sweep = true;
  Victim writer(std::move(words), {AtFailPoint(name, passage)});
  ASSERT_EQ(writer.Await(), "killed")
      << "at " << name << ", passage " << passage << ": " << ledger_.complaint;
}

std::vector<std::string> StoreCrash::Check() {
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
  CheckMortals(**store);
  used_mib_ = static_cast<int>((*store)->GetStats()->used_bytes >> 20) + 1;
  if (const absl::Status whole = (*store)->CheckIntegrity(); !whole.ok()) {
    Violation("the records are not whole: ", whole.ToString());
  }
  return violations_;
}

void StoreCrash::CheckETags() {
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

void StoreCrash::CheckSlot(const Store& store, int slot) {
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

void StoreCrash::CheckETag(const std::string& key, const ETag& etag,
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

void StoreCrash::CheckCounter(const Store& store) {
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

// Items that live for a moment only. What they left is swept, or hidden.
void StoreCrash::CheckMortals(const Store& store) {
  absl::SleepFor(SharedLedger::kMortalsTtl);
  for (int i = 0; i < SharedLedger::kMortals; ++i) {
    const auto item = store.Get(SharedLedger::MortalKey(i));
    if (!item.ok()) {
      Violation("a mortal: ", item.status().ToString());
    } else if (item->has_value()) {
      Violation("a mortal is there after its time");
    }
  }
}

}  // namespace statecpp
