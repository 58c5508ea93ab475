// SPDX-License-Identifier: Apache-2.0
//
// The errors of engine/errors.h that are about copies of a whole store.
#include <cerrno>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/errors.h"

namespace statecpp::error {

absl::Status CannotExchange(absl::string_view path, int error_number) {
  const bool mounted = error_number == EXDEV || error_number == EBUSY;
  return absl::UnimplementedError(absl::StrCat(
      "the copy cannot take the place of ", path, ": ",
      mounted ? "it is a mount point, or on another file system than its parent"
              : "its file system cannot exchange two folders in one step",
      " (RENAME_EXCHANGE: ", std::strerror(error_number),
      "); nothing was changed; move the folder below one on a local disk "
      "(ext4, xfs, btrfs), do it there, and move it back"));
}

absl::Status NoRoomForCopy(absl::string_view path, uint64_t have,
                           uint64_t need) {
  return absl::ResourceExhaustedError(
      absl::StrCat("a copy of the store at ", path, " needs ", need,
                   " bytes of free disk, and there are ", have,
                   "; free some space and try again; nothing was changed"));
}

absl::Status DiskFullWhileCopying(absl::string_view path, uint64_t need) {
  return absl::ResourceExhaustedError(absl::StrCat(
      "the disk of ", path,
      " became full while the store was copied; the copy takes about ", need,
      " bytes and was removed; free some space and try again; nothing was "
      "changed"));
}

absl::Status CopyCancelled(absl::string_view path) {
  return absl::CancelledError(absl::StrCat(
      "interrupted: the copy of ", path, " was removed; nothing was changed"));
}

absl::Status NotCopiedDamaged(absl::string_view path,
                              absl::string_view reason) {
  return absl::DataLossError(absl::StrCat(
      "the store at ", path,
      " is damaged and was not copied, since the copy would pass for whole: ",
      reason,
      "; find all that is damaged with: statecpp verify; nothing was "
      "changed"));
}

absl::Status CopyFailed(absl::string_view path, const absl::Status& cause) {
  return Reworded(
      cause, absl::StrCat(
                 "the copy of the store at ", path, " could not be made: ",
                 absl::IsUnknown(cause) ? "its disk failed while it was synced"
                                        : cause.message(),
                 "; nothing was changed"));
}

absl::Status CopyDiffers(absl::string_view path, absl::string_view reason) {
  return absl::InternalError(absl::StrCat(
      "the copy of the store at ", path, " is not what it was made of (",
      reason,
      ") and was removed; nothing was changed; if it happens again, suspect "
      "the disk or the memory of this machine"));
}

absl::Status CopyNotDurable(absl::string_view path, absl::string_view former,
                            absl::string_view reason) {
  return absl::UnknownError(absl::StrCat(
      "the copy is in place at ", path,
      ", but whether it is after a power cut is not known: ", reason,
      "; the former store is kept at ", former,
      " until a store in that folder is opened; look at the disk first"));
}

absl::Status FormerStoreLeft(absl::string_view former,
                             absl::string_view reason) {
  return absl::InternalError(absl::StrCat(
      "the copy is in place, but the former store could not be removed: ",
      reason, "; remove ", former, " yourself"));
}

absl::Status StoreIsSealed(absl::string_view path,
                           const std::vector<KeySlot>& slots) {
  return WithHttpCode(
      absl::AlreadyExistsError(
          absl::StrCat("the store at ", path, " is sealed already, for: ",
                       absl::StrJoin(slots, ", ",
                                     [](std::string* out, const KeySlot& slot) {
                                       out->append(absl::CEscape(slot.name));
                                     }),
                       "; the key given is one of them; nothing was changed")),
      409);
}

absl::Status NoKeyToSealWith(absl::string_view path) {
  return KeyRefused(absl::StrCat(
      "no key is given to seal the store at ", path,
      " with; make one with: statecpp keygen FILE; and name it with: "
      "--key-file FILE; nothing was changed"));
}

}  // namespace statecpp::error
