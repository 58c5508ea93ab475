// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_LAST_SUCCESSES_H_
#define STATECPP_SERVER_LAST_SUCCESSES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace statecpp {

// Of each store, the last backup that this process made and the last time that
// it found every record whole. Neither is remembered when it ends: the store
// does not know what became of a backup, and whoever watches keeps what was
// said before (deploy/prometheus/alerts.yaml). Thread-safe.
class LastSuccesses {
 public:
  struct Backup {
    absl::Time ended;
    absl::Duration took;
    uint64_t bytes;
  };

  void NoteBackup(absl::string_view data_dir, const Backup& backup)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    backups_.insert_or_assign(std::string(data_dir), backup);
  }
  void NoteVerify(absl::string_view data_dir, absl::Time ended)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    verifies_.insert_or_assign(std::string(data_dir), ended);
  }

  // nullopt: none was made.
  std::optional<Backup> BackupOf(absl::string_view data_dir) const
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return Find(backups_, data_dir);
  }
  std::optional<absl::Time> VerifyOf(absl::string_view data_dir) const
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return Find(verifies_, data_dir);
  }

 private:
  template <typename Value>
  using ByStore = std::map<std::string, Value, std::less<>>;

  template <typename Value>
  static std::optional<Value> Find(const ByStore<Value>& map,
                                   absl::string_view data_dir) {
    const auto found = map.find(data_dir);
    if (found == map.end()) return std::nullopt;
    return found->second;
  }

  mutable absl::Mutex mutex_;
  ByStore<Backup> backups_ ABSL_GUARDED_BY(mutex_);
  ByStore<absl::Time> verifies_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_LAST_SUCCESSES_H_
