// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_READER_LIST_H_
#define STATECPP_ENGINE_READER_LIST_H_

#include <cstdint>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace statecpp {

// Who reads a store at one moment, of this process and of others. A reader
// keeps the pages of its snapshot, and of all later ones, from being used again
// by writers: a slow one makes the file grow.
struct ReaderList {
  // Takes a line as LMDB prints it, "pid thread txnid"; "-" for the last is a
  // slot whose owner does not read.
  void AddLine(absl::string_view line);
  // The same as a callback for LMDB: `list` is a ReaderList.
  static int AddTo(const char* line, void* list);

  // How many transactions were committed since the oldest snapshot.
  uint64_t Lag() const {
    return oldest.has_value() && *oldest < last_commit ? last_commit - *oldest
                                                       : 0;
  }

  uint64_t last_commit = 0;  // for whoever lists to set
  uint64_t readers = 0;
  // The snapshot of whoever began first.
  std::optional<uint64_t> oldest = std::nullopt;
};

// Since when the oldest snapshot is behind. LMDB does not know, so it is as
// long as somebody has looked; two that follow one another on one snapshot are
// taken for one. Thread-safe.
class OldestReader {
 public:
  absl::Duration AgeOf(const ReaderList& list, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Mutex mutex_;
  std::optional<uint64_t> snapshot_ ABSL_GUARDED_BY(mutex_);
  absl::Time since_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_READER_LIST_H_
