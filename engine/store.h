// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_H_
#define STATECPP_ENGINE_STORE_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/etag.h"
#include "engine/item.h"
#include "engine/key_query.h"
#include "engine/options.h"
#include "engine/query.h"
#include "engine/store_figures.h"
#include "engine/store_stats.h"
#include "engine/write.h"

namespace statecpp {

class StoreKeys;
struct BackupReport;
struct BackupRequest;
struct VerifyEvents;
struct VerifyRequest;
struct WalkReport;

// A durable map from keys to versioned items, in one folder on disk.
//
//   absl::StatusOr<std::unique_ptr<Store>> store =
//       Store::Open({.path = "orders"});
//   if (!store.ok()) return store.status();
//   absl::StatusOr<ETag> v1 = (*store)->Set({.key = "a", .value = "1"});
//   absl::StatusOr<ETag> v2 =
//       (*store)->Set({.key = "a", .value = "2",
//                      .precondition = Precondition::Match(*v1)});
//
// Durability: a write is synced to disk and visible to every reader before its
// call returns OK. An error other than those listed below as unknown means that
// nothing was written. Concurrent writers share syncs, so many threads writing
// at once are faster than one.
//
// Reads are linearizable, see one snapshot per call, and never wait for
// writers.
//
// Every call can also fail with
//   UNAVAILABLE     a sync failed earlier; open the store again.
//   DATA_LOSS       the key's record, or the file, is damaged. Never answered
//                   by "not found" or by another value.
// and every write with
//   INVALID_ARGUMENT    the key is empty, or key or content type too long.
//   RESOURCE_EXHAUSTED  the store, the disk or the queue is full. Deletes still
//                       work when the store or the disk is.
//   UNKNOWN             the sync of this very write failed: whether it is
//                       durable shows when the store is opened again.
//
// Thread-safe. One Store per folder, in this process and any other.
class Store {
 public:
  // Opens the store at `options.path`, creating it when it is not there.
  //
  // NOT_FOUND: it is not there, and `options.create` is false.
  // UNAVAILABLE: another process, or another Store of this one, has it open;
  //     the text names the holder.
  // INVALID_ARGUMENT: the path is a file or on a network file system,
  //     `max_size` is less than what is in use, or keys were given for a store
  //     that is plain.
  // PERMISSION_DENIED: the folder may not be read or written; or the store is
  //     sealed and none of `options.keys` opens it, which changes nothing.
  // DATA_LOSS: the file is truncated, emptied, or its header damaged.
  // FAILED_PRECONDITION is never returned: that code means ETags.
  static absl::StatusOr<std::unique_ptr<Store>> Open(Options options);

  // Waits for the writes in hand, then lets go of the folder. No call may be
  // running or started.
  ~Store();

  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // The live item at `key`; nullopt when there is none. Missing and expired
  // items are no error.
  absl::StatusOr<std::optional<Item>> Get(absl::string_view key) const;

  // One result per key, in order, all from one snapshot. A damaged record fails
  // its own entry alone; the call fails only where no read is possible at all.
  // An item whose value would take the values of the call past `max_bytes` is
  // not read, and its entry is RESOURCE_EXHAUSTED; smaller ones behind it are.
  using ReadResult = absl::StatusOr<std::optional<Item>>;
  absl::StatusOr<std::vector<ReadResult>> BulkGet(
      absl::Span<const absl::string_view> keys,
      uint64_t max_bytes = std::numeric_limits<uint64_t>::max()) const;

  // Writes one item and returns its new ETag.
  //
  // FAILED_PRECONDITION: `op.precondition` does not hold.
  absl::StatusOr<ETag> Set(WriteOp op);

  // Removes one item. Removing what is not there succeeds, unless
  // `op.precondition` asks for a version.
  //
  // FAILED_PRECONDITION: `op.precondition` does not hold.
  absl::Status Delete(WriteOp op);

  // Applies each op on its own, in order where keys repeat: a failed op leaves
  // the others applied. One result per op; the ETag of a delete is ETag(0).
  using WriteResult = absl::StatusOr<ETag>;
  std::vector<WriteResult> BulkWrite(std::vector<WriteOp> ops);

  // Applies all ops in order, later ones seeing earlier ones, or none of them.
  // Returns the new ETags in order, ETag(0) for deletes. No ops succeed.
  //
  // FAILED_PRECONDITION: the first op whose precondition does not hold, named
  //     with its index.
  absl::StatusOr<std::vector<ETag>> Transact(std::vector<WriteOp> ops);

  // BulkWrite and Transact without waiting, within bounds. `done` is called
  // exactly once: from this thread when the answer needs no commit, else from
  // the commit thread, where it must be brief, must not wait for a write to
  // this store, and must not be the one that destroys it.
  using BulkDone = absl::AnyInvocable<void(std::vector<WriteResult>)>;
  void BulkWriteAsync(std::vector<WriteOp> ops, CallBounds bounds,
                      BulkDone done);
  using TransactDone =
      absl::AnyInvocable<void(absl::StatusOr<std::vector<ETag>>)>;
  void TransactAsync(std::vector<WriteOp> ops, CallBounds bounds,
                     TransactDone done);

  // Removes the direct children of a prefix: the items whose keys begin with it
  // and have no further "||" behind it, the key that is the prefix itself among
  // them. A prefix that does not end in "||" gets one.
  //
  //   of  actor||a  actor||b  actor||b||c  actors||d
  //   DeleteWithPrefix("actor") removes actor||a and actor||b, and returns 2
  //
  // Returns how many live items were removed. Expired ones go too, and do not
  // count.
  //
  // Many writes and not one: each is durable by itself, readers may see some of
  // them done, and a call that fails or is killed has removed some. What was
  // there before the call is gone when it returns. A Set of a child that comes
  // while it runs may be removed in its turn; it survives where it comes
  // between the look at the child and its removal.
  //
  // INVALID_ARGUMENT: the prefix is empty, or "||".
  // DATA_LOSS: damaged records, whose keys nobody can read, stand where the
  //     children do. They are left, and all that can be read is removed; the
  //     text says how many there are of both.
  // Any error of a write: removed so far are as many as the text says.
  absl::StatusOr<int64_t> DeleteWithPrefix(absl::string_view prefix);

  // Lists keys by a pattern, in pages or all at once. See KeyQuery.
  //
  // The order is the store's own: always the same, and no other order that a
  // caller knows. Not one moment: a key that is there from the first page to
  // the last is listed exactly once, however often it is written; one that
  // comes or goes meanwhile, once or not at all. Expired items are not listed.
  //
  // Reads every record below the longest prefix ending in "||" that the pattern
  // begins with; all of the store where there is none ("%x"). A page takes
  // memory for its keys, and one without a size for all that match.
  //
  // A damaged record does not fail the call, which could then list nothing
  // until the record is mended: KeyPage::damaged counts them.
  //
  // INVALID_ARGUMENT: the pattern is empty, or the token is not one that this
  //     store gave for this pattern.
  absl::StatusOr<KeyPage> ListKeys(const KeyQuery& query) const;

  // Returns items by what their values say, a page at a time. See Query
  // (query.h) for filters, order and pages.
  //
  // Not one moment, as with ListKeys. An item that is damaged fails the page:
  // whether it belongs there nobody can say.
  //
  // INVALID_ARGUMENT: the sort is malformed, or the token is not one that this
  //     store gave for this filter, sort and prefix.
  // RESOURCE_EXHAUSTED: there are more records than `query.max_scan`.
  // DATA_LOSS: a record that would have to be read is damaged; the text names
  //     the key if it can be read.
  // CANCELLED, DEADLINE_EXCEEDED: `bounds` say so; some 20 ms late at most.
  absl::StatusOr<QueryPage> Query(const statecpp::Query& query,
                                  const CallBounds& bounds = {}) const;

  // Raises the ceiling that Options::max_size set. A smaller value changes
  // nothing, and is no error where the store would open with it. Waits for
  // reads in hand.
  //
  // INVALID_ARGUMENT: it is less than what is in use.
  // RESOURCE_EXHAUSTED: the process has too few addresses left; nothing
  //     changed.
  // UNKNOWN: the file is no longer mapped. The store has stopped, as after a
  //     failed sync; nothing is lost.
  absl::Status GrowTo(uint64_t max_size);

  // Replaces Options::cleanup_interval.
  void SetCleanupInterval(absl::Duration interval);

  // Removes what has expired, now, and returns how many items that were. The
  // sweeper does the same at its interval.
  absl::StatusOr<int64_t> Sweep();

  // The keys of a sealed store, and how to change them. Lives as long as this.
  StoreKeys& keys() const;

  // Figures of this moment. Also fails with the errors of error::System.
  using Stats = StoreStats;
  absl::StatusOr<Stats> GetStats() const;

  // What an operator watches. Never waits for a commit, nor for a disk.
  absl::StatusOr<StoreFigures> GetFigures() const;

  // Opens every record and compares all of them with the accumulator, which
  // knows what the store wrote: OK when they agree. In this process, which
  // damage to LMDB's own structures can end.
  //
  // DATA_LOSS: the first thing that is wrong; a record is damaged, or records
  //     were changed, deleted, brought back or planted.
  absl::Status CheckIntegrity() const;

  // The same in a process of its own, while this store goes on serving; tells
  // everything that is wrong. Accepts nothing: that is for a closed store
  // (store_verifier.h). In the request, `program` is worth a look.
  //
  // DATA_LOSS: data.mdb was replaced, removed or cut short under this store.
  // ABORTED and INTERNAL: as of VerifyClosedStore.
  absl::StatusOr<WalkReport> Verify(const VerifyRequest& request,
                                    const VerifyEvents& events);

  // Copies the store, as it is at one moment, to a folder of its own, while it
  // goes on serving. See backup.h, also for the errors.
  absl::StatusOr<BackupReport> Backup(const BackupRequest& request);

 private:
  struct Bulk;
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_H_
