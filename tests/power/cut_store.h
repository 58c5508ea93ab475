// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_CUT_STORE_H_
#define STATECPP_TESTS_POWER_CUT_STORE_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "engine/item.h"
#include "tests/power/cut_ledger.h"

namespace statecpp {

// A store in a folder whose disk loses power, and the ledger of its writers.
class CutStore {
 public:
  explicit CutStore(std::string path);
  ~CutStore();

  CutStore(const CutStore&) = delete;
  CutStore& operator=(const CutStore&) = delete;

  // Begins to write, in a process of its own: first it makes the store or opens
  // it. With `swallow_syncs` nothing of it is synced.
  void StartWriter(uint64_t seed, bool swallow_syncs);
  // Waits until it writes, or has given up.
  void AwaitWriter();
  void EndWriter();

  // Compares what is there with the ledger, in a process of its own, which a
  // broken store may end. What is wrong is added up in the ledger; what is
  // there is the truth from then on.
  void Check();

  // Removes the store, and forgets it.
  void Forget();

  CutLedger& ledger() { return ledger_; }

 private:
  void Write(bool swallow_syncs);
  void Compare();
  void CompareSlot(int slot, const std::optional<Item> (&found)[2]);

  const std::string path_;
  CutLedger& ledger_;
  pid_t writer_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_CUT_STORE_H_
