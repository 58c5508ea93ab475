// SPDX-License-Identifier: Apache-2.0
//
// The errors of engine/errors.h that are about damage.
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/errors.h"

namespace statecpp::error {

absl::Status RecordDamaged(absl::string_view reason) {
  return Damage(
      absl::StrCat("the record is damaged: ", reason,
                   "; it was not read as missing; restore the key from a "
                   "backup, or overwrite or delete it without an etag"),
      reason);
}

absl::Status HashCollision() {
  constexpr absl::string_view kReason =
      "the record at this key's place holds another key";
  return Damage(absl::StrCat(kReason, "; nothing was changed"), kReason);
}

absl::Status DamagedBelowPrefix(absl::string_view prefix, int64_t damaged,
                                int64_t deleted) {
  return absl::DataLossError(absl::StrCat(
      damaged, " damaged records below \"", prefix,
      "\" were left, as nobody can read whose they are; the ", deleted,
      " items that could be read were deleted; restore the damaged keys from a "
      "backup, or overwrite or delete each by its name"));
}

absl::Status HeaderDamaged(absl::string_view path, absl::string_view reason) {
  return Damage(
      absl::StrCat("the header of the store at ", path, " is damaged: ", reason,
                   "; nothing was opened; restore it from a backup"),
      reason);
}

absl::Status FormatTooNew(absl::string_view path, int found, int supported) {
  return WithHttpCode(absl::UnimplementedError(absl::StrCat(
                          "the store at ", path, " has format ", found,
                          "; this program reads up to format ", supported,
                          "; nothing was opened; use a newer program")),
                      500);
}

absl::Status FileDamaged(absl::string_view path, absl::string_view reason) {
  return Damage(
      absl::StrCat(path, " is damaged: ", reason,
                   "; nothing was opened or changed; restore it from a backup"),
      reason);
}

absl::Status StoreDamaged(absl::string_view what, absl::string_view place,
                          absl::string_view reason) {
  return Damage(
      absl::StrCat("the store is damaged: ", what, place.empty() ? "" : " ",
                   absl::BytesToHexString(place), ": ", reason,
                   "; nothing was changed; restore it from a backup"),
      reason);
}

std::string Foreign() { return "it opens, and its key belongs elsewhere"; }

std::string Hidden() {
  return "a scan reaches it and a look-up does not, so it reads as missing";
}

std::string NotInExpiryIndex() {
  return "it expires, and no entry of the expiry index has it removed then";
}

std::string UnknownMetaEntry(size_t size) {
  return absl::StrCat(
      "an entry of ", size,
      " bytes that this program does not know stands beside the header");
}

std::string AccumulatorDamaged() {
  return "it does not open, so nothing tells what the records should be";
}

std::string OutOfOrder() { return "the entry behind this one is not larger"; }

std::string PageDamaged(uint64_t page, absl::string_view what) {
  return absl::StrCat("page ", page, ": ", what);
}

std::string RecordsDiffer(uint64_t found, uint64_t kept, uint64_t damaged,
                          uint64_t unreadable) {
  std::string text = "they are not those that the store wrote: ";
  if (found < kept) {
    absl::StrAppend(&text, kept - found, " of ", kept, " are missing");
  } else if (found > kept) {
    absl::StrAppend(&text, found - kept, " too many, of ", found);
  } else {
    absl::StrAppend(&text, found, " as expected, but not the same");
  }
  absl::StrAppend(&text,
                  "; records were replayed, deleted, brought back or planted "
                  "behind the store's back, or damaged ones overwritten; which "
                  "ones cannot be known");
  if (damaged > 0) {
    absl::StrAppend(&text, "; the damaged ones there are, ", damaged,
                    ", may be the cause");
  }
  if (unreadable > 0) {
    absl::StrAppend(&text, "; ", unreadable,
                    " damaged ones were overwritten or deleted, since when the "
                    "sum is not exact");
  }
  return text;
}

absl::Status AccumulatorMismatch(uint64_t found, uint64_t kept,
                                 uint64_t unreadable) {
  const std::string reason = RecordsDiffer(found, kept, 0, unreadable);
  return Damage(absl::StrCat("of the records: ", reason,
                             "; restore the store from a backup"),
                reason);
}

absl::Status NoWalkRequest() {
  return absl::InvalidArgumentError(
      "this walks over a store for another process, which starts it by itself; "
      "nothing was read; run `statecpp verify`");
}

std::string WalkDied(absl::string_view how, uint64_t records) {
  return absl::StrCat("the walk died (", how, ") after ", records,
                      " records; which ones are lost cannot be known");
}

absl::Status NoWalk(int exit_code) {
  return absl::InternalError(absl::StrCat(
      "the program that should walk over the store ended with exit code ",
      exit_code, " and without a word; nothing was read"));
}

absl::Status WalkStopped(absl::string_view how) {
  return absl::AbortedError(absl::StrCat(
      "the walk over the store ended early (", how,
      "); nothing is known of what it had not reached; run it again"));
}

absl::Status FileReplaced(absl::string_view file) {
  return Damage(
      absl::StrCat(file,
                   " is not the file that is being served: it was replaced or "
                   "removed meanwhile; what is written now is lost when the "
                   "server ends; nothing was verified; copy the store out "
                   "while it serves"),
      "the file was replaced or removed while it is being served");
}

absl::Status LockFileReplaced(absl::string_view file) {
  return absl::AbortedError(absl::StrCat(
      file,
      " was replaced or removed while the store is open, and nobody "
      "can read beside its server any more; it holds no data, and none is "
      "lost; nothing was verified; restart the server, and verify again"));
}

}  // namespace statecpp::error
