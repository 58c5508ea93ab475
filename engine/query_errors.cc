// SPDX-License-Identifier: Apache-2.0
//
// The errors of engine/errors.h that are about queries.
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/errors.h"

namespace statecpp::error {
namespace {

// A name or a path of somebody's, short enough to be read.
std::string Shown(absl::string_view text) {
  constexpr size_t kShown = 64;
  if (text.size() <= kShown) {
    return absl::StrCat("\"", absl::Utf8SafeCEscape(text), "\"");
  }
  size_t size = kShown;
  while (size > 0 && (text[size] & 0xC0) == 0x80) --size;  // no half letters
  return absl::StrCat("\"", absl::Utf8SafeCEscape(text.substr(0, size)),
                      "...\"");
}

}  // namespace

absl::Status QueryMalformed(absl::string_view spot, absl::string_view what) {
  return InvalidArgument(absl::StrCat("the query is malformed",
                                      spot.empty() ? "" : " at ",
                                      absl::CEscape(spot.substr(0, 512)), ": ",
                                      what, "; correct it; nothing was read"));
}

std::string UnknownQueryWord(absl::string_view found,
                             absl::string_view expected) {
  return absl::StrCat(Shown(found), " is there, and ", expected,
                      " is expected");
}

std::string BadQueryPath(absl::string_view path) {
  return absl::StrCat(Shown(path),
                      " is no path: names of members with single dots between "
                      "them are expected, 1024 bytes at most");
}

absl::Status ForeignQueryToken() {
  return InvalidArgument(
      "the page's token is not one that this store gave for this filter, sort "
      "and prefix; begin again without a token; nothing was returned");
}

absl::Status QueryPastMaxScan(uint64_t max_scan) {
  return WithHttpCode(
      absl::ResourceExhaustedError(absl::StrCat(
          "the query would look at more than ", max_scan,
          " records, which is the limit maxScan; bound it by a keyPrefix that "
          "holds fewer, or raise maxScan; nothing was returned")),
      422);
}

absl::Status QueryReachedDamage(absl::string_view key,
                                const absl::Status& cause) {
  return Reworded(
      cause,
      absl::StrCat("the query came to a damaged record, ",
                   key.empty() ? "whose key cannot be read"
                               : absl::StrCat("that of \"", key, "\""),
                   ", and cannot tell whether it matches: ", cause.message(),
                   "; find it with `statecpp verify`, or bound the query by a "
                   "keyPrefix that leaves it out; nothing was returned"));
}

absl::Status QueryCancelled() {
  return absl::CancelledError(
      "the caller gave up before the query was answered");
}

absl::Status QueryTimedOut(uint64_t scanned) {
  return absl::DeadlineExceededError(absl::StrCat(
      "the deadline passed when the query had looked at ", scanned,
      " records; bound it by a keyPrefix, or raise the timeout; nothing was "
      "returned"));
}

}  // namespace statecpp::error
