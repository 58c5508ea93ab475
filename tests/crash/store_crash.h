// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_CRASH_STORE_CRASH_H_
#define STATECPP_TESTS_CRASH_STORE_CRASH_H_

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/store.h"
#include "tests/crash/shared_ledger.h"
#include "tests/crash/victim.h"
#include "tests/support/memory_dir.h"

namespace statecpp {

// A store, the ledger of its writers, and what they ever did.
class StoreCrash {
 public:
  StoreCrash(const std::string& folder, uint64_t seed);

  // Lets a writer run and kills it. It may be anywhere by then: in an opening
  // or, `after_opening`, for certain among its writes.
  void RunAndKill(absl::Duration longest, bool after_opening);

  // Lets a writer run until it has passed that fail point so often, where it
  // is killed. Fails if it does not come there.
  void RunToFailPoint(absl::string_view name, int passage);

  // The same as RunAndKill, with a writer that has that fault.
  void RunSabotaged(absl::Duration longest, absl::string_view sabotage);

  // What is there that may not be, and is missing that may not; none expected.
  // Takes what is there as the truth from then on.
  std::vector<std::string> Check();

  uint64_t acknowledged() const { return ledger_.acknowledged; }
  // Writes that were in hand at a kill, and were there or not afterwards.
  int came_through() const { return came_through_; }
  int came_to_nothing() const { return came_to_nothing_; }

 private:
  uint64_t Draw(uint64_t below) { return random_() % below; }

  // The words that start the next writer, whose way of working is drawn.
  std::vector<std::string> NextWriter(absl::string_view program);
  void KillWithin(absl::Duration longest, bool after_opening, Victim& writer);

  template <typename... Words>
  void Violation(const Words&... words) {
    violations_.push_back(absl::StrCat(words...));
  }

  void CheckETags();
  void CheckSlot(const Store& store, int slot);
  // `answered` is entered in the ledger just before its write counts as
  // acknowledged, so it is also right about a write that came through.
  void CheckETag(const std::string& key, const ETag& etag,
                 std::atomic<uint64_t>& answered, bool is_settled);
  void CheckCounter(const Store& store);
  void CheckMortals(const Store& store);

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

}  // namespace statecpp

#endif  // STATECPP_TESTS_CRASH_STORE_CRASH_H_
