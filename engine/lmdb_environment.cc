// SPDX-License-Identifier: Apache-2.0
#include "engine/lmdb_environment.h"

#include <lmdb.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/file_system.h"
#include "engine/lmdb_lock_file.h"
#include "engine/meta_page.h"

namespace statecpp {
namespace {

constexpr const char* kTableNames[LmdbEnvironment::kTables] = {
    "meta", "records", "expiry"};
// Far more than the threads of any server; a slot is 64 bytes.
constexpr unsigned kMaxReaders = 1024;
// Of a map that is no larger than need be; whole pages of any size.
constexpr uint64_t kRoomToWrite = uint64_t{64} << 20;
// Why every transaction is refused after that.
constexpr const char* kUnmapped = "its file could not be mapped again";
// Short of this much space, a write that came to its end early did so for want
// of it: file systems keep some blocks that they hand to nobody.
constexpr uint64_t kScarce = uint64_t{1} << 20;

MDB_val Val(absl::string_view view) {
  return {view.size(), const_cast<char*>(view.data())};
}

absl::string_view View(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

// Positive codes are the system's, negative ones LMDB's own.
absl::Status LmdbError(absl::string_view action, int code) {
  switch (code) {
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(mdb_strerror(code));
    case MDB_READERS_FULL:
      return absl::UnavailableError("too many readers at once");
    case MDB_MAP_RESIZED:
      return absl::UnavailableError("the file has outgrown its map");
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_CURSOR_FULL:
      return error::FileDamaged("the store's file", mdb_strerror(code));
    default:
      return error::Storage(action, code, mdb_strerror(code));
  }
}

}  // namespace

std::string LmdbEnvironment::Version() {
  int major = 0, minor = 0, patch = 0;
  mdb_version(&major, &minor, &patch);
  return absl::StrCat(major, ".", minor, ".", patch);
}

absl::StatusOr<std::unique_ptr<LmdbEnvironment>> LmdbEnvironment::Open(
    const std::string& folder, uint64_t map_size,
    void (*on_assertion)(const char* text), Access access) {
  const bool writes = access == Access::kMake || access == Access::kWrite;
  absl::Status ready;
  if (access != Access::kLook) ready = AllocateLockFile(folder, kMaxReaders);
  if (!ready.ok()) return ready;
  MDB_env* env = nullptr;
  if (const int code = mdb_env_create(&env); code != 0) {
    return LmdbError("create an LMDB environment", code);
  }
  std::unique_ptr<LmdbEnvironment> environment(
      new LmdbEnvironment(env, folder));
  mdb_env_set_maxdbs(env, kTables);
  mdb_env_set_maxreaders(env, kMaxReaders);
  // LMDB itself would take what the file's meta page says, which may be
  // damaged.
  if (map_size == 0)
    map_size = 2 * FileSize(folder + "/data.mdb") + kRoomToWrite;
  mdb_env_set_mapsize(env, map_size);
  if (on_assertion != nullptr) {
    mdb_env_set_userctx(env, reinterpret_cast<void*>(on_assertion));
    mdb_env_set_assert(env, [](MDB_env* failed, const char* text) {
      reinterpret_cast<void (*)(const char*)>(mdb_env_get_userctx(failed))(
          text);
    });
  }
  const unsigned flags =
      MDB_NOTLS | (writes ? 0u : unsigned{MDB_RDONLY}) |
      (access == Access::kLook ? unsigned{MDB_NOLOCK} : 0u) |
      (STATECPP_SABOTAGE("skip-syncs") ? unsigned{MDB_NOSYNC} : 0u);
  if (const int code = mdb_env_open(env, folder.c_str(), flags, 0600);
      code != 0) {
    if (code > 0) return error::System("open the store in", folder, code);
    // There is nothing yet that could be damaged. LMDB says so of a lock file
    // that it could not lock.
    if (access == Access::kMake) {
      return error::Storage("make the store's file", code, mdb_strerror(code));
    }
    return LmdbError("open the store", code);
  }
  // LMDB opens it twice without O_CLOEXEC, and gives one of the two descriptors
  // away only.
  KeepFromChildren(folder + "/data.mdb", environment->descriptor());
  mdb_reader_check(env, &environment->stale_readers_);
  ready = environment->OpenTables(access);
  if (!ready.ok()) return ready;
  if (writes) {
    const int failed =
        SettleMetaPages(environment->descriptor(), environment->page_size_);
    if (failed != 0) {
      return error::System("sync", folder + "/data.mdb", failed);
    }
  }
  return environment;
}

absl::Status LmdbEnvironment::OpenTables(Access access) {
  MDB_txn* txn = nullptr;
  const bool writes = access == Access::kMake || access == Access::kWrite;
  const unsigned how = writes ? 0 : MDB_RDONLY;
  if (const int code = mdb_txn_begin(env_, nullptr, how, &txn); code != 0) {
    return LmdbError("begin a transaction", code);
  }
  const unsigned make = access == Access::kMake ? MDB_CREATE : 0;
  for (int i = 0; i < kTables; ++i) {
    const int code = mdb_dbi_open(txn, kTableNames[i], make, &tables_[i]);
    if (code != 0) {
      mdb_txn_abort(txn);
      // Never made anew: it held what the store holds.
      if (code == MDB_NOTFOUND) {
        return error::FileDamaged(
            folder_ + "/data.mdb",
            absl::StrCat("the table ", kTableNames[i], " is missing"));
      }
      return LmdbError(absl::StrCat("open the table ", kTableNames[i]), code);
    }
  }
  // Writes pages only when a table was made.
  if (const int code = mdb_txn_commit(txn); code != 0) {
    return LmdbError("commit the tables", code);
  }
  MDB_stat stat;
  mdb_env_stat(env_, &stat);
  page_size_ = stat.ms_psize;
  return absl::OkStatus();
}

LmdbEnvironment::~LmdbEnvironment() {
  for (MDB_txn* txn : idle_) mdb_txn_abort(txn);
  mdb_env_close(env_);
}

// The map stays locked as long as the transaction lives, which the analysis
// cannot follow.
absl::StatusOr<LmdbEnvironment::ReadTransaction> LmdbEnvironment::BeginRead()
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  map_.ReaderLock();
  if (unmapped_) {
    map_.ReaderUnlock();
    return error::StoreFailed(kUnmapped);
  }
  MDB_txn* txn = nullptr;
  {
    absl::MutexLock lock(&idle_mutex_);
    if (!idle_.empty()) {
      txn = idle_.back();
      idle_.pop_back();
    }
  }
  const int code = txn != nullptr
                       ? mdb_txn_renew(txn)
                       : mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  if (code != 0) {
    map_.ReaderUnlock();
    if (txn != nullptr) mdb_txn_abort(txn);
    return LmdbError("begin a read", code);
  }
  return ReadTransaction(this, txn);
}

void LmdbEnvironment::Return(MDB_txn* txn) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mdb_txn_reset(txn);
  {
    absl::MutexLock lock(&idle_mutex_);
    idle_.push_back(txn);
  }
  map_.ReaderUnlock();
}

absl::StatusOr<LmdbEnvironment::WriteTransaction> LmdbEnvironment::BeginWrite()
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  map_.ReaderLock();
  if (unmapped_) {
    map_.ReaderUnlock();
    return error::StoreFailed(kUnmapped);
  }
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env_, nullptr, 0, &txn); code != 0) {
    map_.ReaderUnlock();
    if (code == MDB_PANIC) return error::StoreFailed(mdb_strerror(code));
    return LmdbError("begin a write", code);
  }
  return WriteTransaction(this, txn);
}

absl::Status LmdbEnvironment::Grow(uint64_t map_size) {
  absl::MutexLock lock(&map_);
  if (unmapped_) return error::StoreFailed(kUnmapped);
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  if (map_size <= info.me_mapsize) return absl::OkStatus();
  // LMDB unmaps the file before it maps it anew, and a map that is refused then
  // leaves it with none. So it is tried first.
  void* const tried =
      mmap(nullptr, map_size, PROT_READ, MAP_SHARED, descriptor(), 0);
  if (tried == MAP_FAILED) return error::CannotGrow(map_size, errno);
  munmap(tried, map_size);
  const int code = mdb_env_set_mapsize(env_, map_size);
  if (code == 0) return absl::OkStatus();
  unmapped_ = true;
  return error::MapLost(map_size, mdb_strerror(code));
}

uint64_t LmdbEnvironment::file_pages() const {
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  return info.me_last_pgno + 1;
}

ReaderList LmdbEnvironment::Readers() const {
  ReaderList list;
  mdb_reader_list(env_, &ReaderList::AddTo, &list);
  return list;
}

int LmdbEnvironment::ClearStaleReaders() {
  int cleared = 0;
  mdb_reader_check(env_, &cleared);
  return cleared;
}

int LmdbEnvironment::descriptor() const {
  int fd = -1;
  mdb_env_get_fd(env_, &fd);
  return fd;
}

unsigned LmdbReader::Handle(Table table) const {
  return environment_->tables_[static_cast<int>(table)];
}

absl::StatusOr<std::optional<absl::string_view>> LmdbReader::Get(
    Table table, absl::string_view key) const {
  MDB_val key_val = Val(key);
  MDB_val value;
  const int code = mdb_get(txn_, Handle(table), &key_val, &value);
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) return LmdbError("read", code);
  return View(value);
}

absl::Status LmdbReader::Scan(Table table, absl::string_view from,
                              Visit visit) const {
  MDB_cursor* cursor = nullptr;
  if (const int code = mdb_cursor_open(txn_, Handle(table), &cursor);
      code != 0) {
    return LmdbError("open a cursor", code);
  }
  MDB_val key = Val(from);
  MDB_val value;
  int code = mdb_cursor_get(cursor, &key, &value,
                            from.empty() ? MDB_FIRST : MDB_SET_RANGE);
  while (code == 0 && visit(View(key), View(value))) {
    code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
  }
  mdb_cursor_close(cursor);
  if (code != 0 && code != MDB_NOTFOUND) return LmdbError("scan", code);
  return absl::OkStatus();
}

uint64_t LmdbReader::SnapshotId() const { return mdb_txn_id(txn_); }

absl::StatusOr<uint64_t> LmdbReader::CountEntries(Table table) const {
  MDB_stat stat;
  if (const int code = mdb_stat(txn_, Handle(table), &stat); code != 0) {
    return LmdbError("count entries", code);
  }
  return stat.ms_entries;
}

absl::StatusOr<uint64_t> LmdbReader::LivePages() const {
  // LMDB's own two tables, of free pages and of names, have the handles 0 and
  // 1; the two meta pages belong to no table.
  unsigned handles[2 + LmdbEnvironment::kTables] = {0, 1};
  for (int i = 0; i < LmdbEnvironment::kTables; ++i) {
    handles[2 + i] = environment_->tables_[i];
  }
  uint64_t pages = 2;
  for (const unsigned handle : handles) {
    MDB_stat stat;
    if (const int code = mdb_stat(txn_, handle, &stat); code != 0) {
      return LmdbError("count pages", code);
    }
    pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
  }
  return pages;
}

LmdbEnvironment::ReadTransaction::ReadTransaction(
    ReadTransaction&& other) noexcept
    : LmdbReader(other.environment_, std::exchange(other.txn_, nullptr)) {}

LmdbEnvironment::ReadTransaction::~ReadTransaction() {
  if (txn_ != nullptr) environment_->Return(txn_);
}

LmdbEnvironment::WriteTransaction::WriteTransaction(
    WriteTransaction&& other) noexcept
    : LmdbReader(other.environment_, std::exchange(other.txn_, nullptr)) {}

LmdbEnvironment::WriteTransaction::~WriteTransaction()
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (txn_ == nullptr) return;
  mdb_txn_abort(txn_);
  environment_->map_.ReaderUnlock();
}

absl::Status LmdbEnvironment::WriteTransaction::Put(Table table,
                                                    absl::string_view key,
                                                    absl::string_view value) {
  return Put(table, key, value, 0);
}

absl::Status LmdbEnvironment::WriteTransaction::Append(
    Table table, absl::string_view key, absl::string_view value) {
  return Put(table, key, value, MDB_APPEND);
}

absl::Status LmdbEnvironment::WriteTransaction::Put(Table table,
                                                    absl::string_view key,
                                                    absl::string_view value,
                                                    unsigned flags) {
  MDB_val key_val = Val(key);
  MDB_val value_val = Val(value);
  const int code = mdb_put(txn_, Handle(table), &key_val, &value_val, flags);
  if (code != 0) return LmdbError("write", code);
  return absl::OkStatus();
}

absl::Status LmdbEnvironment::WriteTransaction::Delete(Table table,
                                                       absl::string_view key) {
  MDB_val key_val = Val(key);
  const int code = mdb_del(txn_, Handle(table), &key_val, nullptr);
  if (code != 0 && code != MDB_NOTFOUND) return LmdbError("delete", code);
  return absl::OkStatus();
}

absl::Status LmdbEnvironment::WriteTransaction::Commit()
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const FormerMetaPage former(descriptor(), SnapshotId(), page_size());
  const int code = mdb_txn_commit(std::exchange(txn_, nullptr));
  if (code != 0) former.PutBack();
  environment_->map_.ReaderUnlock();
  if (code == 0) return absl::OkStatus();
  if (code == MDB_MAP_FULL || code == MDB_TXN_FULL) {
    return LmdbError("commit", code);
  }
  // A full disk can fail the data pages, which no meta page names yet: then
  // nothing was applied, and the next transaction writes them anew in full. It
  // can also fail the meta page; LMDB then refuses every transaction, and that
  // is how to tell.
  if (DiskIsFull(code) && environment_->BeginWrite().ok()) {
    return error::DiskFull(environment_->folder_);
  }
  return error::CommitOutcomeUnknown(mdb_strerror(code));
}

// LMDB reports a page that was written in part, which is how some file systems
// end, as EIO.
bool LmdbEnvironment::WriteTransaction::DiskIsFull(int code) const {
  if (code == ENOSPC || code == EDQUOT) return true;
  return code == EIO &&
         FreeBytes(environment_->folder_).value_or(kScarce) < kScarce;
}

}  // namespace statecpp
