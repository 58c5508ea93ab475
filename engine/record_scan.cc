// SPDX-License-Identifier: Apache-2.0
#include "engine/record_scan.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace statecpp {
namespace {

constexpr size_t kSliceRecords = 4096;
constexpr std::chrono::milliseconds kSliceTime(20);

// The first record key that can stand behind `key`.
std::string Behind(absl::string_view key) {
  return absl::StrCat(key, absl::string_view("\0", 1));
}

}  // namespace

RecordScan::RecordScan(Look look, std::string range, absl::string_view after)
    : look_(std::move(look)),
      range_(std::move(range)),
      from_(after.empty() ? range_ : std::max(range_, Behind(after))) {}

absl::Status RecordScan::NextSlice(
    absl::FunctionRef<bool(const Entry&)> visit) {
  const absl::StatusOr<KeyedSnapshot> view = look_();
  if (!view.ok()) return view.status();
  const auto end = std::chrono::steady_clock::now() + kSliceTime;
  size_t visited = 0;
  bool is_cut = false;
  const absl::Status scanned = view->snapshot->Scan(
      Space::kRecords, from_,
      [&](absl::string_view record_key, absl::string_view record) {
        if (!absl::StartsWith(record_key, range_)) return false;
        const absl::StatusOr<RecordReader> reader =
            RecordReader::Open(*view->keyring, record_key, record);
        is_cut = !visit({record_key, record, reader}) ||
                 ++visited == kSliceRecords ||
                 std::chrono::steady_clock::now() >= end;
        if (is_cut) from_ = Behind(record_key);
        return !is_cut;
      });
  if (scanned.ok()) done_ = !is_cut;
  return scanned;
}

}  // namespace statecpp
