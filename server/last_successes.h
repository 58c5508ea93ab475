// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_LAST_BACKUPS_H_
#define STATECPP_SERVER_LAST_BACKUPS_H_

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

// The last backup of each store that this process made. Thread-safe.
class LastBackups {
 public:
  struct Backup {
    absl::Time ended;
    absl::Duration took;
    uint64_t bytes;
  };

  void Note(absl::string_view data_dir, const Backup& backup)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    backups_.insert_or_assign(std::string(data_dir), backup);
  }

  // nullopt: none was made.
  std::optional<Backup> Of(absl::string_view data_dir) const
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto found = backups_.find(data_dir);
    if (found == backups_.end()) return std::nullopt;
    return found->second;
  }

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, Backup, std::less<>> backups_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_LAST_BACKUPS_H_
