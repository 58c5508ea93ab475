// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_BACKUP_H_
#define STATECPP_ENGINE_BACKUP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/time/time.h"

namespace statecpp {

// A copy of an open store, made while it is read and written:
//
//   absl::StatusOr<BackupReport> report =
//       store->Backup({.path = "/backup/orders-2026-11-23"});
//
// A backup is a store's folder: `verify` looks at it, keys open it as they
// opened the store at that moment, and RestoreStore makes a store of it again
// (store_restore.h). So there is one format, one reader of it and one proof
// that it is whole; what is there already is found by key and nonce, which is
// what an interrupted backup goes on from; and nothing is unsealed that was
// sealed. A stream would be smaller by some free pages, and would have to be
// begun anew each time.
//
// It is exactly the store at one moment, that of the commit which the report
// names, and proved to be: its records come to that commit's own count and sum,
// which the store keeps sealed (accumulator.h), each of them was opened when it
// was read, and is opened again from the file. Until that is proved, no store
// opens there; until it is durable, the folder is called <path>.partial.
//
// How it keeps out of the way of writes:
//
//   - Keys and records are read in slices, each a snapshot of a few
//     milliseconds, which is gone before anything is read from the backup's
//     disk, or written to it. However slow that is, the store's file does not
//     grow for it.
//   - Meanwhile commits note the keys that they change. These are copied again,
//     round after round, each shorter than the one before, until the last few
//     fit one short snapshot: that is the moment.
//   - The note is bounded. If it overflows, all keys are compared once more; of
//     records that are in the backup by then, only the nonce is read.
//   - If rounds do not become shorter, commits wait for each other a little
//     longer each round, for a quarter of a second at most; the progress says
//     so. If that does not help either, the backup gives up.
//
// A backup that was interrupted, in whatever way, goes on when it is asked for
// again with the same path: what is there and unchanged is not read again.
//
// ALREADY_EXISTS: there is something at the path, or what was left there is of
//     another store, or another user could have put it there.
// INVALID_ARGUMENT: the path is no place for a backup.
// NOT_FOUND: there is no folder to make it in.
// UNAVAILABLE: another backup of this store, or to this path, is being made; or
//     writes come too fast even when slowed; or a sync failed earlier.
// DATA_LOSS: a record does not open, which the text names, or the records are
//     not those that the store wrote. What was copied is kept, and is no store.
// RESOURCE_EXHAUSTED: the backup's disk is full. What was copied is kept.
// CANCELLED: `on_progress` returned false. What was copied is kept.
// INTERNAL: what was written is not what is read back; it was removed.
// UNKNOWN: the backup's disk failed; or the backup is in place, which the text
//     says then, and may not be after a power cut.
// Those of error::System: what was left or written could not be read just now;
//     it is kept.
struct BackupRequest {
  // Of the folder to make; its parent is there.
  std::string path;

  // A folder in which no backup may be. Empty: the store's own.
  std::string outside = "";

  // How far it is. Called often, from the thread that asked. False: stop.
  enum class Step {
    kCopy,    // records and entries by expiry, of about as many as there are
    kFollow,  // of keys that changed meanwhile
    kCheck,   // records and entries by expiry, of the backup
  };
  struct Progress {
    Step step;
    uint64_t done;
    uint64_t total;
    // Commits wait, so that the backup comes to its end.
    absl::Duration slowed;
  };
  std::function<bool(const Progress& progress)> on_progress = nullptr;

  // As in Options, of which it is that if it is null.
  void (*on_assertion)(const char* text) = nullptr;

  // Of the note of changed keys, about.
  size_t note_bytes = size_t{16} << 20;
};

struct BackupReport {
  // The last that is in it.
  uint64_t commit_seq = 0;
  uint64_t records = 0;
  // Of data.mdb.
  uint64_t bytes = 0;
  // Records that were written; more than there are where some changed.
  uint64_t copied = 0;
  // It went on from an interrupted one.
  bool resumed = false;
  uint64_t rounds = 0;
  // Times that all keys were compared again, since too many had changed.
  uint64_t rescans = 0;
  // How long commits had to wait at last.
  absl::Duration slowed;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_BACKUP_H_
