// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_ERRORS_H_
#define STATECPP_ENGINE_ERRORS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/key_slot.h"
#include "crypto/master_key.h"
#include "crypto/store_id.h"
#include "engine/error_payload.h"
#include "engine/etag.h"

// Every error that a caller, a user or an operator can see, one function each,
// grouped by what it is about. A text says what failed, which value, what was
// expected, what to do, and what did not happen.
//
// What an error says of itself beside its text is in error_payload.h.
namespace statecpp::error {

// --- Keys and values ---------------------------------------------------------

absl::Status EmptyKey();
absl::Status KeyTooLong(size_t size, size_t limit);
absl::Status ContentTypeTooLong(size_t size, size_t limit);
absl::Status TtlOutOfRange(absl::Duration ttl, absl::Duration limit);
// `size` counts key, value and content type together.
absl::Status ValueTooLarge(absl::string_view key, uint64_t size,
                           uint64_t limit);

// An item of a bulk read that its reply has no room for.
absl::Status ItemPastReplyLimit(uint64_t limit);

absl::Status EmptyPattern();
// A continuation token that does not open.
absl::Status ForeignToken();
absl::Status PrefixRequired();
// `cause` came when `deleted` items below `prefix` were gone.
absl::Status PrefixPartlyDeleted(const absl::Status& cause,
                                 absl::string_view prefix, int64_t deleted);

// --- Queries -----------------------------------------------------------------

// `spot` is where, as "filter.AND[1].EQ"; empty: the query as a whole.
absl::Status QueryMalformed(absl::string_view spot, absl::string_view what);
// What is wrong, for QueryMalformed.
std::string UnknownQueryWord(absl::string_view found,
                             absl::string_view expected);
std::string BadQueryPath(absl::string_view path);
absl::Status ForeignQueryToken();
absl::Status QueryPastMaxScan(uint64_t max_scan);
// `key` is empty where the damage hides it.
absl::Status QueryReachedDamage(absl::string_view key,
                                const absl::Status& cause);
absl::Status QueryCancelled();
absl::Status QueryTimedOut(uint64_t scanned);

// --- Preconditions -----------------------------------------------------------

// `expected` is the text given; `found` the live item's version, or nullopt.
absl::Status ETagMismatch(absl::string_view key, absl::string_view expected,
                          const std::optional<ETag>& found);
// First-write found an item there already.
absl::Status AlreadyExists(absl::string_view key, const ETag& found);
// A precondition of operation `index` (from 0) of `count` failed in a
// transaction. Keeps what `cause` says of itself.
absl::Status TransactionRefused(const absl::Status& cause, size_t index,
                                size_t count);
absl::Status TransactionTooLong(size_t count, int64_t limit);
// Other writers changed the key between every look and its commit.
absl::Status TooMuchContention(absl::string_view key, int attempts);

// Joins what became of a bulk write: OK when every status is. Otherwise the
// first failure decides the code (an ETag mismatch before all others), and the
// text names every key that was not written.
struct BulkFailure {
  std::string key;
  absl::Status status;
};
absl::Status BulkPartlyFailed(const std::vector<BulkFailure>& failures,
                              size_t count);

// --- Outcomes of a commit ----------------------------------------------------

absl::Status Cancelled();
absl::Status DeadlineExceeded();
absl::Status QueueFull(size_t writes, size_t bytes);
absl::Status StoreFull(uint64_t used, uint64_t max_size);
absl::Status DiskFull(absl::string_view path);
absl::Status StoreClosing();
// The cause is a failed sync or meta write; the outcome is not known.
absl::Status CommitOutcomeUnknown(absl::string_view cause);
// Every call after that.
absl::Status StoreFailed(absl::string_view cause);
// The store's map could not be enlarged: it is as it was, or gone.
absl::Status CannotGrow(uint64_t map_size, int error_number);
absl::Status MapLost(uint64_t map_size, absl::string_view cause);
absl::Status Storage(absl::string_view action, int code,
                     absl::string_view text);

// --- Damage ------------------------------------------------------------------

absl::Status RecordDamaged(absl::string_view reason);
absl::Status HashCollision();
// Of a prefix delete that removed `deleted` items and left damaged records.
absl::Status DamagedBelowPrefix(absl::string_view prefix, int64_t damaged,
                                int64_t deleted);
absl::Status HeaderDamaged(absl::string_view path, absl::string_view reason);
absl::Status FormatTooNew(absl::string_view path, int found, int supported);
absl::Status FileDamaged(absl::string_view path, absl::string_view reason);
// Of a store's first finding, for who asks whether it is whole.
absl::Status StoreDamaged(absl::string_view what, absl::string_view place,
                          absl::string_view reason);

// What a walk over a store finds wrong, in words for a report.
std::string Foreign();
std::string Hidden();
std::string NotInExpiryIndex();
std::string UnknownMetaEntry(size_t size);
std::string AccumulatorDamaged();
std::string OutOfOrder();
std::string PageDamaged(uint64_t page, absl::string_view what);
// Records were replayed, deleted or planted: there are `found`, of which
// `damaged` do not open, where `kept` were written, and `unreadable` damaged
// ones were replaced since.
std::string RecordsDiffer(uint64_t found, uint64_t kept, uint64_t damaged,
                          uint64_t unreadable);
// The same for who opened all of them.
absl::Status AccumulatorMismatch(uint64_t found, uint64_t kept,
                                 uint64_t unreadable);

// A walk in a process of its own: it was started without a request, it did not
// begin, it died of what it walked over, or it was ended or cancelled.
absl::Status NoWalkRequest();
absl::Status NoWalk(int exit_code);
std::string WalkDied(absl::string_view how, uint64_t records);
absl::Status WalkStopped(absl::string_view how);
// data.mdb, in the folder of a store that is open, is another file.
absl::Status FileReplaced(absl::string_view file);
// The same of lock.mdb, which holds no data.
absl::Status LockFileReplaced(absl::string_view file);

// --- Keys --------------------------------------------------------------------

// The store is sealed, and no key was given to open it.
absl::Status NoKeyGiven(absl::string_view path,
                        const std::vector<KeySlot>& slots);
// Keys were given, and none is that of a slot.
absl::Status NoKeyOpens(absl::string_view path, const StoreId& store_id,
                        const std::vector<KeySlot>& slots,
                        const MasterKeys& keys);
absl::Status SlotTooCostly(absl::string_view path, absl::string_view slot,
                           uint32_t passes, uint32_t memory_kib);
// Keys were given for a store whose records are in clear.
absl::Status StoreIsPlain(absl::string_view path);
// The keys open a store, but not the one that is open here.
absl::Status OtherRootKey(absl::string_view path);
// Key slots and data keys are asked for where there are none.
absl::Status NoKeysInPlainStore();
absl::Status BadKeyName(absl::string_view name);
absl::Status SlotNameTaken(absl::string_view name);
absl::Status KeyHasSlot(absl::string_view name);
absl::Status SlotsFull(size_t limit);
absl::Status SlotUnknown(absl::string_view name,
                         const std::vector<KeySlot>& slots);
absl::Status LastSlot(absl::string_view name);
absl::Status LastOpenableSlot(absl::string_view name);
absl::Status DataKeyUnknown(uint32_t id);
absl::Status DataKeyActive(uint32_t id);
absl::Status DataKeyInUse(uint32_t id, uint64_t records);
absl::Status DataKeyMayStillSeal(uint32_t id);
absl::Status TooManyDataKeys(size_t count);

// --- Copies of a whole store -------------------------------------------------

// No folder at `path` can take the place of another in one step.
absl::Status CannotExchange(absl::string_view path, int error_number);
absl::Status NoRoomForCopy(absl::string_view path, uint64_t have,
                           uint64_t need);
absl::Status DiskFullWhileCopying(absl::string_view path, uint64_t need);
absl::Status CopyCancelled(absl::string_view path);
absl::Status NotCopiedDamaged(absl::string_view path, absl::string_view reason);
absl::Status CopyFailed(absl::string_view path, const absl::Status& cause);
// The copy, opened anew, does not hold what was read.
absl::Status CopyDiffers(absl::string_view path, absl::string_view reason);
// In place; the sync behind that failed.
absl::Status CopyNotDurable(absl::string_view path, absl::string_view former,
                            absl::string_view reason);
absl::Status FormerStoreLeft(absl::string_view former,
                             absl::string_view reason);
// One of the keys given opens it.
absl::Status StoreIsSealed(absl::string_view path,
                           const std::vector<KeySlot>& slots);
absl::Status NoKeyToSealWith(absl::string_view path);

// --- Backups -----------------------------------------------------------------

// `path` is that of the backup, `folder` where it is while it is written.
absl::Status NoPlaceForBackup(absl::string_view path);
absl::Status NoFolderForBackup(absl::string_view path,
                               absl::string_view parent);
absl::Status BackupInDataRoot(absl::string_view path, absl::string_view folder);
absl::Status BackupIsThere(absl::string_view path);
absl::Status BackupOfAnotherStore(absl::string_view folder);
// What stands where an interrupted backup's folder would, and others could have
// put there: it is another user's, it may be written by others, or one of its
// files is more than a file in it.
absl::Status BackupLeftByOther(absl::string_view folder, uid_t owner,
                               uid_t uid);
absl::Status BackupLeftLoose(absl::string_view folder, mode_t mode);
absl::Status BackupLeftLinked(absl::string_view folder, absl::string_view file,
                              absl::string_view kind);
absl::Status BackupRuns(absl::string_view path);
// Somebody holds the folder that it is written in.
absl::Status BackupFolderHeld(absl::string_view folder,
                              absl::string_view holder);
// `key` is empty where the damage hides it.
absl::Status NotBackedUp(absl::string_view place, absl::string_view key,
                         absl::string_view reason);
absl::Status BackupNotOfAccumulator(absl::string_view folder,
                                    absl::string_view reason);
absl::Status BackupDiskFull(absl::string_view folder);
absl::Status BackupDiskFailed(absl::string_view folder,
                              const absl::Status& cause);
// In place; the sync behind that failed.
absl::Status BackupNotDurable(absl::string_view path, absl::string_view reason);
// The file that is being written, and not the store.
absl::Status BackupFileDamaged(absl::string_view folder,
                               absl::string_view reason);
absl::Status BackupCancelled(absl::string_view folder);
absl::Status BackupNotConverging(absl::string_view folder,
                                 absl::Duration slowed);
// The backup could not be opened or read anew, for a reason that is not in it.
absl::Status BackupNotReadBack(absl::string_view folder,
                               const absl::Status& cause);
// The backup, opened anew, does not hold what was read.
absl::Status BackupDiffers(absl::string_view path, absl::string_view reason);
// Where a backup is to be restored to.
absl::Status NoPlaceForStore(absl::string_view path);
absl::Status RestoreReplacesNothing(absl::string_view path);
// In place; the sync behind that failed.
absl::Status RestoreNotDurable(absl::string_view path,
                               absl::string_view reason);

// --- Opening -----------------------------------------------------------------

absl::Status StoreMissing(absl::string_view path);
absl::Status StoreHeld(absl::string_view path, absl::string_view holder,
                       absl::Duration waited);
// Of a look that changes nothing, at what a process may write under another
// name, or what is no file.
absl::Status NotLookedAt(absl::string_view path, absl::string_view reason);
absl::Status NotADirectory(absl::string_view path);
absl::Status NetworkFileSystem(absl::string_view path, absl::string_view kind);
absl::Status MaxSizeTooSmall(absl::string_view path, uint64_t max_size,
                             uint64_t used);
// A system call failed. `action` is a phrase: "create the folder".
absl::Status System(absl::string_view action, absl::string_view path,
                    int error_number);

}  // namespace statecpp::error

#endif  // STATECPP_ENGINE_ERRORS_H_
