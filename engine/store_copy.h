// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_COPY_H_
#define STATECPP_ENGINE_STORE_COPY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/master_key.h"
#include "engine/clock.h"

namespace statecpp {

// A closed store is replaced by a copy of itself:
//
//   absl::StatusOr<CopyReport> report =
//       EncryptStore({.path = "data/orders", .keys = keys});
//
// The copy is made aside, in <parent>/.new-XXXXXX, checked there against what
// it was made of, made durable, and exchanged with the store in one step. So at
// every moment, whatever happens, the path holds the whole former store or the
// whole new one; the folder keeps its owner and mode. Then the former one is
// removed.
//
// If the process dies, what it leaves aside is removed when a store in that
// parent is opened next, also by running this again: an unfinished copy once it
// is a minute old, the former store at once. Until then the former store is
// still there, which in EncryptStore is one in clear. A file that was removed
// can be read from the bare disk until its blocks are used again, and longer
// from snapshots and backups; nothing here can help that.
//
// Needs as much free disk as the store's records take, and a file system that
// can exchange two folders.
struct CopyOptions {
  // The store's folder. A symbolic link to it is followed.
  std::string path;

  // Opens the store, if it is sealed; what EncryptStore seals by the first of.
  std::shared_ptr<const MasterKeys> keys = nullptr;

  // How long to wait for another process to let go of the store.
  absl::Duration lock_timeout = absl::ZeroDuration();

  bool allow_network_file_system = false;

  // The program that looks at the store's structures before they are followed
  // here, as in VerifyRequest: LMDB trusts its file, and one that is damaged
  // may crash who reads it. Empty: nobody looks.
  std::vector<std::string> walker = {};

  // How far it is. Called often, from the thread that copies. False: stop.
  enum class Step {
    kLook,   // structures and records, as the walker goes over them
    kSort,   // the new places of records
    kCopy,   // records
    kCheck,  // records of the copy
  };
  std::function<bool(Step step, uint64_t done, uint64_t total)> on_progress =
      nullptr;

  // As in Options.
  void (*on_assertion)(const char* text) = nullptr;
  Clock* clock = &Clock::System();

  // New places that EncryptStore keeps in memory at a time, 112 bytes each and
  // twice as many; a store of more records is walked several times.
  size_t places_in_memory = size_t{1} << 20;
};

struct CopyReport {
  uint64_t records = 0;
  // Of data.mdb, before and after.
  uint64_t bytes_before = 0;
  uint64_t bytes_after = 0;
  // Not OK: the former store is still aside; the text says where.
  absl::Status removed = absl::OkStatus();
};

// Every error of both means that nothing was changed, but for those that say
// otherwise:
//
// NOT_FOUND: there is no store.
// UNAVAILABLE: another process has it open; the text names the holder.
// PERMISSION_DENIED: a folder may not be read or written; or the store is
//     sealed, and no key was given or none opens it.
// DATA_LOSS: the store is damaged. It is not copied: the copy would pass for
//     whole.
// RESOURCE_EXHAUSTED: the disk has too little room; the text says how much is
//     needed.
// UNIMPLEMENTED: the file system cannot exchange two folders.
// CANCELLED: `on_progress` returned false.
// UNKNOWN: the copy is in place, but whether it is after a power cut is not
//     known; both stores are kept.
// INTERNAL: the copy is not what it was made of.

// The same store without what LMDB has kept: free pages, in which deleted and
// former records, their keys and wrapped keys still stand, and the room that
// they take. Every record, ETag and key slot is as it was.
absl::StatusOr<CopyReport> CompactStore(const CopyOptions& options);

// Of a plain store, a sealed one: under a new root key with one slot, that of
// the first of `options.keys`. Records keep key, value, content type, ETag and
// expiry; nothing else of the former store is in the new one.
//
// ALREADY_EXISTS: the store is sealed, and one of `options.keys` opens it.
// PERMISSION_DENIED: also where no key is given at all.
absl::StatusOr<CopyReport> EncryptStore(const CopyOptions& options);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_COPY_H_
