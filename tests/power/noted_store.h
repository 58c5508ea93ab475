// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_NOTED_STORE_H_
#define STATECPP_TESTS_POWER_NOTED_STORE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "engine/store.h"
#include "tests/power/notes.h"
#include "tests/support/fake_clock.h"

namespace statecpp {

// A store whose folder is recorded, and whose calls are noted before they begin
// and when they are answered.
//
// Thread-safe but for Open and Close, as long as no two threads write one key.
class NotedStore {
 public:
  explicit NotedStore(std::string path) : path_(std::move(path)) {}

  // One that was found after a cut, with what was noted until then.
  NotedStore(std::string path, const Notes& until, size_t events);

  // As the store answered.
  absl::Status Open(std::shared_ptr<const MasterKeys> keys);
  void Close() { store_.reset(); }

  absl::Status Set(const std::string& key, size_t size,
                   std::optional<absl::Duration> ttl = std::nullopt);
  absl::Status Delete(const std::string& key);
  // Sets of all keys, and deletes of those that begin with "-".
  absl::Status Transact(const std::vector<std::string>& keys, size_t size);
  // The same, one by one.
  absl::Status Bulk(const std::vector<std::string>& keys, size_t size);
  // A transaction that does not hold. INTERNAL: it held.
  absl::Status Refused(const std::string& key, const std::string& other);

  // Time passes, and what has expired is removed.
  absl::Status AdvanceAndSweep(absl::Duration time);
  // The store opens by that set of keys from now on.
  void NoteKeys(int which);
  // What is there now is to be there for ever, for whoever has read it.
  absl::Status ReadAll();

  Store& store() { return *store_; }
  const std::string& path() const { return path_; }
  const Notes& notes() const { return notes_; }

  enum class Lie {
    kNone,
    kAcknowledgeFirst,  // before the call, not after
    kTearTransactions,  // into one write for each key
  };
  void TellLies(Lie lie) { lie_ = lie; }

 private:
  WriteOp OpOf(const std::string& key, size_t size,
               std::vector<Notes::Write::Change>& items);
  size_t Begin(std::vector<Notes::Write::Change> items);
  void End(size_t write, const std::vector<ETag>& etags);

  const std::string path_;
  FakeClock clock_;
  std::unique_ptr<Store> store_;
  std::mutex mutex_;
  Notes notes_;
  uint64_t numbers_ = 0;
  Lie lie_ = Lie::kNone;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_NOTED_STORE_H_
