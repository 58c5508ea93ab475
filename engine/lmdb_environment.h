// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_LMDB_ENVIRONMENT_H_
#define STATECPP_ENGINE_LMDB_ENVIRONMENT_H_

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
#include "engine/reader_list.h"

struct MDB_env;
struct MDB_txn;

namespace statecpp {

// LMDB, as this project uses it: one environment of three tables, read
// transactions that are renewed rather than begun, one write transaction at a
// time. The only file that includes <lmdb.h>; its error codes end here.
//
// Durability is LMDB's default: a commit syncs the pages, then writes one meta
// page through a descriptor that syncs by itself. MDB_NOSYNC, MDB_NOMETASYNC,
// MDB_WRITEMAP and MDB_MAPASYNC are never used; the first two can lose or break
// what was acknowledged, the others gain nothing when commits are durable. What
// a process before this one failed to sync is synced before it is read
// (meta_page.h).
//
// Thread-safe; a transaction belongs to one thread at a time.
class LmdbEnvironment {
 public:
  enum class Table { kMeta, kRecords, kExpiry };
  static constexpr int kTables = 3;

  class ReadTransaction;
  class WriteTransaction;

  enum class Access {
    kMake,   // make data.mdb and its tables
    kWrite,  // read and write what is there
    // Read only, beside a process that writes or without one. Nothing of
    // data.mdb changes.
    kRead,
    // Read only, where the folder's lock keeps every writer out, or none knows
    // of the folder. Nothing in it changes, and lock.mdb is not needed.
    kLook,
  };

  // Of the library: "0.9.24".
  static std::string Version();

  // Opens `folder`/data.mdb. With a `map_size` of 0 the map holds the file, and
  // room to write as much again. The caller, or for kRead a process
  // that waits for it, holds the folder's lock, which for kLook may be shared,
  // and has checked the file: LMDB trusts both. `on_assertion` may be null.
  //
  // DATA_LOSS: LMDB does not take the file for its own, or a table is missing.
  // INTERNAL and those of error::System: LMDB or the system says no.
  static absl::StatusOr<std::unique_ptr<LmdbEnvironment>> Open(
      const std::string& folder, uint64_t map_size,
      void (*on_assertion)(const char* text), Access access = Access::kWrite);
  ~LmdbEnvironment();

  LmdbEnvironment(const LmdbEnvironment&) = delete;
  LmdbEnvironment& operator=(const LmdbEnvironment&) = delete;

  // A snapshot. UNAVAILABLE: more readers at once than LMDB has slots for; or,
  // read only, the file has outgrown the map, which another Open mends.
  absl::StatusOr<ReadTransaction> BeginRead();

  // Waits for the other writer, if there is one.
  absl::StatusOr<WriteTransaction> BeginWrite();

  // Enlarges the map, waiting until no transaction is open. Smaller than now
  // changes nothing.
  //
  // RESOURCE_EXHAUSTED: there is no room for it in memory's addresses; the map
  //     is as it was.
  // UNKNOWN: the former map is gone and there is no new one. The environment
  //     may not be used again, and every transaction is refused.
  absl::Status Grow(uint64_t map_size);

  uint32_t page_size() const { return page_size_; }
  // Pages of the file that are or were in use, after the last commit.
  uint64_t file_pages() const;
  // Who reads, here and in other processes; without their last commit.
  ReaderList Readers() const;
  // Of data.mdb, for space to be set aside. LMDB's own; not to be closed.
  int descriptor() const;
  // Reader slots of processes that died, freed when this was opened.
  int stale_readers() const { return stale_readers_; }
  // Frees those of processes that died since, and says how many. Their
  // snapshots kept space from being used again.
  int ClearStaleReaders();

 private:
  friend class LmdbReader;

  LmdbEnvironment(MDB_env* env, std::string folder)
      : env_(env), folder_(std::move(folder)) {}

  absl::Status OpenTables(Access access);
  void Return(MDB_txn* txn);

  MDB_env* const env_;
  const std::string folder_;  // for error texts
  unsigned tables_[kTables] = {};
  uint32_t page_size_ = 0;
  int stale_readers_ = 0;

  // Held shared by every transaction, exclusively while the map moves.
  absl::Mutex map_;
  // LMDB has lost its map, and would not look before it reads.
  bool unmapped_ ABSL_GUARDED_BY(map_) = false;

  absl::Mutex idle_mutex_;
  // Reset read transactions: renewing one costs no slot search.
  std::vector<MDB_txn*> idle_ ABSL_GUARDED_BY(idle_mutex_);
};

// What a transaction of either kind can read.
class LmdbReader {
 public:
  using Table = LmdbEnvironment::Table;

  // Views live until the transaction ends or, in a write transaction, until its
  // next write.
  absl::StatusOr<std::optional<absl::string_view>> Get(
      Table table, absl::string_view key) const;
  using Visit =
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>;
  absl::Status Scan(Table table, absl::string_view from, Visit visit) const;

  // As LMDB counts them; a walk over the table comes to the same number.
  absl::StatusOr<uint64_t> CountEntries(Table table) const;

  // Pages that the tables and the list of free pages take, as this transaction
  // sees them.
  absl::StatusOr<uint64_t> LivePages() const;

  // The number of the last transaction that this one sees.
  uint64_t SnapshotId() const;
  uint32_t page_size() const { return environment_->page_size(); }
  int descriptor() const { return environment_->descriptor(); }

 protected:
  LmdbReader(LmdbEnvironment* environment, MDB_txn* txn)
      : environment_(environment), txn_(txn) {}

  unsigned Handle(Table table) const;

  LmdbEnvironment* environment_;
  MDB_txn* txn_;
};

class LmdbEnvironment::ReadTransaction : public LmdbReader {
 public:
  ReadTransaction(ReadTransaction&& other) noexcept;
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction();

 private:
  friend class LmdbEnvironment;
  using LmdbReader::LmdbReader;
};

// Aborts what was not committed.
class LmdbEnvironment::WriteTransaction : public LmdbReader {
 public:
  WriteTransaction(WriteTransaction&& other) noexcept;
  WriteTransaction& operator=(WriteTransaction&&) = delete;
  ~WriteTransaction();

  // RESOURCE_EXHAUSTED: the map is full. The transaction can then only be
  // dropped; so after every other error.
  absl::Status Put(Table table, absl::string_view key, absl::string_view value);
  // As Put, of a key greater than all of the table. Fills pages to the end,
  // where Put leaves them half full.
  absl::Status Append(Table table, absl::string_view key,
                      absl::string_view value);
  absl::Status Delete(Table table, absl::string_view key);

  // Durable when it returns OK.
  //
  // RESOURCE_EXHAUSTED: map or disk is full; surely nothing was applied. As
  //     error::DiskFull if it was the disk.
  // UNKNOWN: a sync or the meta page failed. What is on disk is unknown, and
  //     the environment may not be used again.
  absl::Status Commit();

 private:
  friend class LmdbEnvironment;
  using LmdbReader::LmdbReader;

  absl::Status Put(Table table, absl::string_view key, absl::string_view value,
                   unsigned flags);
  bool DiskIsFull(int code) const;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_LMDB_ENVIRONMENT_H_
