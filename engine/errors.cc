// SPDX-License-Identifier: Apache-2.0
#include "engine/errors.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace statecpp::error {
namespace {

// Of a part of a call whose other parts were written.
std::string WithoutNothingWritten(const absl::Status& status) {
  return absl::StrReplaceAll(status.message(), {{"; nothing was written", ""}});
}

// What became of one item of a bulk write: names its key once.
std::string ItemText(const BulkFailure& failure) {
  const std::string text = WithoutNothingWritten(failure.status);
  const std::string key = absl::StrCat("\"", failure.key, "\"");
  return absl::StrContains(text, key) ? text : absl::StrCat(key, ": ", text);
}

}  // namespace

absl::Status EmptyKey() {
  return InvalidArgument(
      "the key is empty; a key has at least one byte; nothing was read or "
      "written");
}

absl::Status KeyTooLong(size_t size, size_t limit) {
  return InvalidArgument(
      absl::StrCat("the key has ", size, " bytes; the limit is ", limit,
                   "; use a shorter one; nothing was read or written"));
}

absl::Status ContentTypeTooLong(size_t size, size_t limit) {
  return InvalidArgument(
      absl::StrCat("the content type has ", size, " bytes; the limit is ",
                   limit, "; use a shorter one; nothing was written"));
}

absl::Status TtlOutOfRange(absl::Duration ttl, absl::Duration limit) {
  return InvalidArgument(
      absl::StrCat("the time to live is ", absl::FormatDuration(ttl),
                   "; it must be more than nothing and at most ",
                   absl::FormatDuration(limit), "; nothing was written"));
}

absl::Status ValueTooLarge(absl::string_view key, uint64_t size,
                           uint64_t limit) {
  return WithHttpCode(absl::InvalidArgumentError(absl::StrCat(
                          "value of \"", key,
                          "\" is too large: key, value and content type take ",
                          size, " bytes; the limit maxValueSize is ", limit,
                          "; nothing was written; keep it in parts under "
                          "several keys")),
                      413);
}

absl::Status ETagMismatch(absl::string_view key, absl::string_view expected,
                          const std::optional<ETag>& found) {
  const bool ours = ETag::Parse(expected).has_value();
  return Mismatch(absl::StrCat(
      "etag mismatch on \"", key, "\": expected ",
      ours ? std::string(expected)
           : absl::StrCat("\"", absl::CEscape(expected.substr(0, 64)),
                          "\", which is not one that this store issues (16 "
                          "hexadecimal digits)"),
      ", found ", found.has_value() ? found->ToString() : "no item",
      "; nothing was written; read the item again and retry"));
}

absl::Status AlreadyExists(absl::string_view key, const ETag& found) {
  return Mismatch(absl::StrCat("first-write of \"", key,
                               "\" without an etag: expected no item, found ",
                               found.ToString(),
                               "; nothing was written; to replace it, read it "
                               "and give its etag"));
}

absl::Status TransactionRefused(const absl::Status& cause, size_t index,
                                size_t count) {
  return Reworded(
      cause, absl::StrCat(IsETagMismatch(cause)
                              ? "possible etag mismatch in operation "
                              : "transaction refused in operation ",
                          index + 1, " of ", count, ": ", cause.message()));
}

absl::Status TransactionTooLong(size_t count, int64_t limit) {
  return InvalidArgument(absl::StrCat(
      "the transaction has ", count, " operations; the limit maxTxnOps is ",
      limit, "; nothing was written; do with fewer, or raise the limit"));
}

absl::Status ItemPastReplyLimit(uint64_t limit) {
  return WithHttpCode(
      absl::ResourceExhaustedError(absl::StrCat(
          "left out: with this item the reply would pass the limit of ", limit,
          " bytes; read fewer keys at a time")),
      413);
}

absl::Status EmptyPattern() {
  return InvalidArgument(
      "the pattern is empty; \"%\" lists all keys; nothing was listed");
}

absl::Status ForeignToken() {
  return InvalidArgument(
      "the continuation token is not one that this store gave for this "
      "pattern; begin again without a token; nothing was listed");
}

absl::Status PrefixRequired() {
  return InvalidArgument(
      "a prefix is required: at least one byte before its closing \"||\"; "
      "nothing was deleted");
}

absl::Status PrefixPartlyDeleted(const absl::Status& cause,
                                 absl::string_view prefix, int64_t deleted) {
  return Reworded(
      cause,
      absl::StrCat(deleted, " items below \"", prefix,
                   "\" were deleted, then: ", WithoutNothingWritten(cause),
                   "; delete the prefix again for the rest"));
}

absl::Status TooMuchContention(absl::string_view key, int attempts) {
  return WithHttpCode(
      absl::AbortedError(absl::StrCat(
          "other writers changed \"", key, "\" in each of ", attempts,
          " attempts to judge the write; nothing was written; retry")),
      503);
}

absl::Status BulkPartlyFailed(const std::vector<BulkFailure>& failures,
                              size_t count) {
  if (failures.empty()) return absl::OkStatus();
  const BulkFailure* decisive = &failures.front();
  for (const BulkFailure& failure : failures) {
    if (!IsETagMismatch(failure.status)) continue;
    decisive = &failure;
    break;
  }
  return Reworded(
      decisive->status,
      absl::StrCat(
          failures.size(), " of ", count,
          failures.size() < count ? " items were not written, the others were: "
                                  : " items were not written: ",
          absl::StrJoin(failures, "; ",
                        [](std::string* out, const BulkFailure& failure) {
                          out->append(ItemText(failure));
                        })));
}

absl::Status Cancelled() {
  return absl::CancelledError(
      "the caller gave up before the write was judged; nothing was written");
}

absl::Status DeadlineExceeded() {
  return absl::DeadlineExceededError(
      "the deadline passed before the write was judged; nothing was written; "
      "retry, or give it more time");
}

absl::Status QueueFull(size_t writes, size_t bytes) {
  return WithHttpCode(
      absl::ResourceExhaustedError(absl::StrCat(
          "the write queue is full: ", writes, " writes, ", bytes,
          " bytes wait for the disk; nothing was written; retry later")),
      429);
}

absl::Status StoreFull(uint64_t used, uint64_t max_size) {
  return WithHttpCode(
      absl::ResourceExhaustedError(absl::StrCat(
          "the store is full: ", used, " bytes of maxSize ", max_size,
          " are in use; nothing was written; raise maxSize or delete keys "
          "(deletes still work)")),
      507);
}

absl::Status DiskFull(absl::string_view path) {
  return WithHttpCode(absl::ResourceExhaustedError(absl::StrCat(
                          "the disk of ", path,
                          " is full; nothing was written; free space or "
                          "delete keys (deletes still work)")),
                      507);
}

absl::Status StoreClosing() {
  return WithHttpCode(
      absl::UnavailableError(
          "the store is closing; nothing was written; retry in a moment"),
      503);
}

absl::Status CommitOutcomeUnknown(absl::string_view cause) {
  return WithReason(
      WithHttpCode(
          absl::UnknownError(absl::StrCat(
              "the commit failed while it was synced (", cause,
              "): whether the write is on disk shows when the store is opened "
              "again; restart, read it, and write it again if it is missing")),
          503),
      cause);
}

absl::Status CannotGrow(uint64_t map_size, int error_number) {
  return WithHttpCode(
      absl::ResourceExhaustedError(absl::StrCat(
          "could not map ", map_size,
          " bytes of the store's file: ", std::strerror(error_number),
          "; maxSize stays what it was and nothing was changed; allow the "
          "process more address space (ulimit -v), or choose less")),
      507);
}

absl::Status MapLost(uint64_t map_size, absl::string_view cause) {
  return absl::UnknownError(absl::StrCat(
      "the store's file could not be mapped again with ", map_size, " bytes (",
      cause,
      "): nothing that was written is lost; restart to open the store again"));
}

absl::Status StoreFailed(absl::string_view cause) {
  return WithHttpCode(
      absl::UnavailableError(absl::StrCat(
          "the store stopped after a failed sync (", cause,
          "); nothing was read or written; restart to open it again")),
      503);
}

absl::Status Storage(absl::string_view action, int code,
                     absl::string_view text) {
  return absl::InternalError(
      absl::StrCat("could not ", action, ": ", text, " (LMDB ", code, ")"));
}

absl::Status StoreMissing(absl::string_view path) {
  return absl::NotFoundError(
      absl::StrCat("there is no store at ", path, ", and none was made"));
}

absl::Status StoreHeld(absl::string_view path, absl::string_view holder,
                       absl::Duration waited) {
  return AsStoreHeld(WithHttpCode(
      absl::UnavailableError(absl::StrCat(
          path, " is held by ", holder, "; waited ",
          absl::FormatDuration(waited),
          "; nothing was opened; stop that process, or use another folder")),
      503));
}

absl::Status NotLookedAt(absl::string_view path, absl::string_view reason) {
  return InvalidArgument(absl::StrCat(
      path, " was not looked at: ", reason,
      ", and a regular file with no other name was expected; nothing was read "
      "or changed; look at it where it is kept, or put a copy in its place"));
}

absl::Status NotADirectory(absl::string_view path) {
  return InvalidArgument(absl::StrCat(
      path,
      " is not a folder; name a folder, or a path where one can be "
      "made; nothing was opened"));
}

absl::Status NetworkFileSystem(absl::string_view path, absl::string_view kind) {
  return InvalidArgument(absl::StrCat(
      path, " is on a network file system (", kind,
      "), where locks and memory maps are not safe; use a local disk; nothing "
      "was opened"));
}

absl::Status MaxSizeTooSmall(absl::string_view path, uint64_t max_size,
                             uint64_t used) {
  return InvalidArgument(
      absl::StrCat("maxSize is ", max_size, " bytes, but the store at ", path,
                   " uses ", used,
                   "; give at least that; nothing was opened "
                   "or changed"));
}

absl::Status System(absl::string_view action, absl::string_view path,
                    int error_number) {
  const std::string text = absl::StrCat("could not ", action, " ", path, ": ",
                                        std::strerror(error_number));
  switch (error_number) {
    case EROFS:
      return FromSystem(
          WithHttpCode(absl::PermissionDeniedError(absl::StrCat(
                           text, "; mount it so that it can be written")),
                       403));
    case EACCES:
    case EPERM:
      return FromSystem(WithHttpCode(absl::PermissionDeniedError(text), 403));
    case ENOSPC:
    case EDQUOT:
      return FromSystem(WithHttpCode(absl::ResourceExhaustedError(text), 507));
    case ENOENT:
      return FromSystem(absl::NotFoundError(text));
    default:
      return FromSystem(absl::InternalError(text));
  }
}

}  // namespace statecpp::error
