// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_LMDB_STORAGE_H_
#define STATECPP_ENGINE_LMDB_STORAGE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "crypto/keyring.h"
#include "crypto/random.h"
#include "engine/accumulator.h"
#include "engine/changed_keys.h"
#include "engine/current_keyring.h"
#include "engine/distribution.h"
#include "engine/lmdb_environment.h"
#include "engine/lmdb_lock_file.h"
#include "engine/meta_table.h"
#include "engine/reader_list.h"
#include "engine/reserve.h"
#include "engine/storage.h"
#include "engine/store_walk.h"

namespace statecpp {

// Storage in one LMDB environment:
//
//   meta     header and accumulator (meta_table.h)
//   records  record_key -> record
//   expiry   expiry_key -> nothing
//
// Each commit is one LMDB transaction, which also brings the accumulator up to
// date and seals it anew.
//
// Thread-safe as Storage says.
class LmdbStorage final : public Storage {
 public:
  // Writes the data file of an empty store into `folder`.
  static absl::Status Make(const std::string& folder, absl::string_view header,
                           const Keyring& keyring, int64_t now_ms,
                           Random& random);

  // Opens what Make left. `unlock` is called once with the header and returns
  // the keys, which the storage keeps. Commits the new open count before it
  // returns: that write replaces the meta page that a crash may have left half
  // done, before anything is read by it.
  //
  // DATA_LOSS: header or accumulator is damaged or missing.
  // INVALID_ARGUMENT: `max_size` is less than what is in use.
  // Those of `unlock` and of LmdbEnvironment::Open.
  using Unlock =
      absl::FunctionRef<absl::StatusOr<std::shared_ptr<const Keyring>>(
          absl::string_view header)>;
  static absl::StatusOr<std::unique_ptr<LmdbStorage>> Open(
      const std::string& folder, uint64_t max_size, Random& random,
      void (*on_assertion)(const char* text), Unlock unlock);

  absl::StatusOr<std::unique_ptr<Snapshot>> Read() const override;
  absl::StatusOr<std::vector<Verdict>> Commit(
      absl::Span<const Batch* const> group, int64_t confirmed_ms) override
      ABSL_LOCKS_EXCLUDED(mutex_);

  const CurrentKeyring& keyring() const { return keyring_; }
  const std::string& path() const { return path_; }
  int stale_readers() const { return environment_->stale_readers(); }

  // As of the last commit.
  Accumulator accumulator() const ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t max_size() const ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<uint64_t> UsedBytes() const;

  // What is there and who reads it. Never waits for a commit.
  struct Figures {
    Accumulator accumulator;  // as of the last commit
    uint64_t max_size;
    uint32_t page_size;
    uint64_t used_bytes;
    uint64_t free_pages;
    uint64_t file_bytes;
    uint64_t disk_bytes;
    uint64_t expiry_entries;
    ReaderList readers;
    absl::Duration oldest_reader_age;
    uint64_t cleared_readers;
  };
  absl::StatusOr<Figures> ReadFigures() const
      ABSL_LOCKS_EXCLUDED(published_mutex_);
  const Distribution& sync_time() const { return sync_time_; }

  // Replaces the header, and the keys that it gives, in one durable step
  // between two commits. `change` sees the header and the accumulator of that
  // moment and returns what follows, or an error, which is returned.
  //
  // UNKNOWN: the sync failed, as in Commit.
  struct NewHeader {
    std::string bytes;
    std::shared_ptr<const Keyring> keyring;
  };
  using HeaderChange = absl::FunctionRef<absl::StatusOr<NewHeader>(
      absl::string_view header, const Accumulator& accumulator)>;
  absl::Status ChangeHeader(HeaderChange change) ABSL_LOCKS_EXCLUDED(mutex_);

  // The header as it stands.
  absl::StatusOr<std::string> ReadHeader() const;

  // Smaller than now changes nothing.
  //
  // INVALID_ARGUMENT: it is less than what is in use, and not by what deletes
  //     may have taken of the reserve. Those of LmdbEnvironment::Grow.
  absl::Status GrowTo(uint64_t max_size) ABSL_LOCKS_EXCLUDED(mutex_);

  // From now on each commit notes in `changed` the keys that it changes, until
  // StopFollowing. False: they are noted for somebody else already.
  bool Follow(ChangedKeys* changed) ABSL_LOCKS_EXCLUDED(mutex_);
  void StopFollowing() ABSL_LOCKS_EXCLUDED(mutex_);

  // All that stands between two commits, and what was changed since the last
  // call of this, or of Follow. Between Follow and StopFollowing.
  struct Moment {
    KeyedSnapshot view;
    // As they are on disk.
    std::string header;
    std::string accumulator;
    uint64_t expiry_entries;
    ChangedKeys::Taken changed;
  };
  absl::StatusOr<Moment> TakeMoment() ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether the files in the folder are still those that are open, and the data
  // whole (lmdb_file.h, lmdb_lock_file.h).
  absl::Status CheckFiles() const ABSL_LOCKS_EXCLUDED(mutex_);

  // After the death of a process that read beside this one.
  void ClearStaleReaders() { ClearReaders(); }

  // Walks over all there is, as it stands now (store_walk.h).
  //
  // Those of a read that cannot begin.
  absl::StatusOr<WalkOutcome> Walk(WalkOptions options, WalkFound found) const
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  LmdbStorage(std::unique_ptr<LmdbEnvironment> environment,
              std::shared_ptr<const Keyring> keyring, Accumulator accumulator,
              uint64_t max_size, const std::string& path, Random& random)
      : environment_(std::move(environment)),
        keyring_(std::move(keyring)),
        random_(random),
        path_(path),
        lock_file_(path),
        reserve_(*environment_, max_size, path),
        accumulator_(std::move(accumulator)),
        published_(accumulator_),
        published_max_size_(max_size) {}

  absl::Status CommitOpen() ABSL_LOCKS_EXCLUDED(mutex_);
  int ClearReaders();
  // What changed is there for ReadFigures to see.
  void Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_)
      ABSL_LOCKS_EXCLUDED(published_mutex_);
  absl::StatusOr<std::vector<Verdict>> CommitOnce(
      absl::Span<const Batch* const> group, int64_t confirmed_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<LmdbEnvironment> environment_;
  CurrentKeyring keyring_;
  Random& random_;
  const std::string path_;
  const LockFileInUse lock_file_;

  mutable absl::Mutex mutex_;
  // Null: nobody copies this store.
  ChangedKeys* changed_ ABSL_GUARDED_BY(mutex_)
      ABSL_PT_GUARDED_BY(mutex_) = nullptr;
  int commits_until_reader_check_ ABSL_GUARDED_BY(mutex_) = 0;
  Reserve reserve_ ABSL_GUARDED_BY(mutex_);
  Accumulator accumulator_ ABSL_GUARDED_BY(mutex_);

  Distribution sync_time_{kTimeBounds};
  mutable OldestReader oldest_reader_;
  std::atomic<uint64_t> cleared_readers_ = 0;
  // Copies of what mutex_ guards, which is held for as long as the disk takes.
  mutable absl::Mutex published_mutex_;
  Accumulator published_ ABSL_GUARDED_BY(published_mutex_);
  uint64_t published_max_size_ ABSL_GUARDED_BY(published_mutex_);
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_LMDB_STORAGE_H_
