// SPDX-License-Identifier: Apache-2.0
//
// The errors of engine/errors.h that are about backups.
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/errors.h"

namespace statecpp::error {
namespace {

constexpr absl::string_view kNameAnother =
    "name another folder for this backup, or remove that one; nothing was done";

// What becomes of what was copied so far.
std::string Kept(absl::string_view folder) {
  return absl::StrCat("what was copied is kept at ", folder,
                      ", and the same backup goes on from there");
}

}  // namespace

absl::Status NoPlaceForBackup(absl::string_view path) {
  return InvalidArgument(absl::StrCat(
      "\"", absl::CEscape(path),
      "\" names no folder that a backup could become; name one that is not "
      "there yet, such as /backup/orders-2026-11-23; nothing was done"));
}

absl::Status NoFolderForBackup(absl::string_view path,
                               absl::string_view parent) {
  return absl::NotFoundError(
      absl::StrCat("there is no folder ", parent, " to make the backup ", path,
                   " in; make it first; nothing was done"));
}

absl::Status BackupInDataRoot(absl::string_view path,
                              absl::string_view folder) {
  return InvalidArgument(absl::StrCat(
      "the backup ", path, " would be in ", folder,
      ", which holds what is backed up: one disk would lose both, and a server "
      "takes what is in its data root for its own; name a folder elsewhere, on "
      "another disk at best; nothing was done"));
}

absl::Status BackupIsThere(absl::string_view path) {
  return absl::AlreadyExistsError(absl::StrCat(
      "there is something at ", path,
      " already, and a backup replaces nothing; name a folder that is not "
      "there yet, or move that one away; nothing at it was changed"));
}

absl::Status BackupOfAnotherStore(absl::string_view folder) {
  return absl::AlreadyExistsError(absl::StrCat(
      folder,
      " is what an interrupted backup of another store left; name another "
      "folder for this one, or remove that; nothing was done"));
}

absl::Status BackupLeftByOther(absl::string_view folder, uid_t owner,
                               uid_t uid) {
  return absl::AlreadyExistsError(absl::StrCat(
      folder, " belongs to uid ", owner, ", and this process runs as uid ", uid,
      ", so it is not what an interrupted backup of its own left, and what is "
      "in it may lead anywhere; ",
      kNameAnother));
}

absl::Status BackupLeftLoose(absl::string_view folder, mode_t mode) {
  return absl::AlreadyExistsError(absl::StrFormat(
      "%s has mode %04o, so that others can change what is in it, while a "
      "backup makes it with 0700; %s",
      folder, mode & 07777, kNameAnother));
}

absl::Status BackupLeftLinked(absl::string_view folder, absl::string_view file,
                              absl::string_view kind) {
  return absl::AlreadyExistsError(absl::StrCat(
      folder, "/", file, " is ", kind,
      ", and what is written to it would be written elsewhere; expected a "
      "regular file with one name, as an interrupted backup leaves it; ",
      kNameAnother));
}

absl::Status BackupRuns(absl::string_view path) {
  return AsStoreHeld(absl::UnavailableError(absl::StrCat(
      "another backup of this store is being made; start the one to ", path,
      " when it is done; nothing was done")));
}

absl::Status BackupFolderHeld(absl::string_view folder,
                              absl::string_view holder) {
  return AsStoreHeld(absl::UnavailableError(absl::StrCat(
      "another backup is being written in ", folder, ", by ", holder,
      "; wait until it is done, or name another folder; nothing was done")));
}

absl::Status NotBackedUp(absl::string_view place, absl::string_view key,
                         absl::string_view reason) {
  return Damage(
      absl::StrCat(
          "record ", absl::BytesToHexString(place),
          key.empty() ? ""
                      : absl::StrCat(" (key \"", absl::CHexEscape(key), "\")"),
          " is damaged, so there is no backup, which would pass for whole: ",
          reason,
          "; find all that is damaged with: statecpp verify; overwrite or "
          "delete it, or restore an earlier backup, and start this one again; "
          "what was copied is kept and is no store"),
      reason);
}

absl::Status BackupNotOfAccumulator(absl::string_view folder,
                                    absl::string_view reason) {
  return Damage(
      absl::StrCat("every record opens, but together they are not those that "
                   "the store wrote, so there is no backup: ",
                   reason, "; look closer with: statecpp verify; ",
                   Kept(folder)),
      reason);
}

absl::Status BackupDiskFull(absl::string_view folder) {
  return absl::ResourceExhaustedError(
      absl::StrCat("the disk of the backup is full; free some space and start "
                   "it again; ",
                   Kept(folder), "; the store is as it was"));
}

absl::Status BackupDiskFailed(absl::string_view folder,
                              const absl::Status& cause) {
  return absl::UnknownError(
      absl::StrCat("the backup could not be written: ", ReasonOf(cause),
                   "; look at its disk first; do not go on with ", folder,
                   ", but remove it; the store is as it was"));
}

absl::Status BackupFileDamaged(absl::string_view folder,
                               absl::string_view reason) {
  return absl::UnknownError(
      absl::StrCat(folder, "/data.mdb is damaged: ", reason));
}

absl::Status BackupNotDurable(absl::string_view path,
                              absl::string_view reason) {
  return absl::UnknownError(absl::StrCat(
      "the backup is whole and in place at ", path,
      ", but whether it is after a power cut is not known: ", reason,
      "; look at its disk first; the store is as it was"));
}

absl::Status BackupCancelled(absl::string_view folder) {
  return absl::CancelledError(
      absl::StrCat("interrupted, there is no backup; ", Kept(folder)));
}

absl::Status BackupNotConverging(absl::string_view folder,
                                 absl::Duration slowed) {
  return absl::UnavailableError(absl::StrCat(
      "the backup does not keep up with the writes, though each commit waited ",
      absl::FormatDuration(slowed),
      "; use a faster disk for it, or an hour with fewer writes; ",
      Kept(folder)));
}

absl::Status BackupNotReadBack(absl::string_view folder,
                               const absl::Status& cause) {
  return Reworded(
      cause, absl::StrCat("what was written could not be read back, so there "
                          "is no backup: ",
                          ReasonOf(cause), "; ", Kept(folder)));
}

absl::Status BackupDiffers(absl::string_view path, absl::string_view reason) {
  return absl::InternalError(absl::StrCat(
      "the backup ", path, " is not what it was made of (", reason,
      ") and was removed; the store is as it was; start it again, and if it "
      "happens again, suspect the disk or the memory of this machine"));
}

absl::Status NoPlaceForStore(absl::string_view path) {
  return absl::NotFoundError(
      absl::StrCat("there is no folder to make the store ", path,
                   " in; make it first; nothing was restored"));
}

absl::Status RestoreReplacesNothing(absl::string_view path) {
  return absl::AlreadyExistsError(absl::StrCat(
      "there is something at ", path,
      " already, and a backup is restored to where nothing is; name another "
      "store, or stop whoever serves that one and move it away; nothing was "
      "restored"));
}

absl::Status RestoreNotDurable(absl::string_view path,
                               absl::string_view reason) {
  return absl::UnknownError(absl::StrCat(
      "the store is in place at ", path,
      ", but whether it is after a power cut is not known: ", reason,
      "; look at the disk first"));
}

}  // namespace statecpp::error
