// SPDX-License-Identifier: Apache-2.0
#include "cli/backup_series.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/store_faults.h"
#include "engine/errors.h"
#include "engine/file_lock.h"
#include "engine/keys_status.h"
#include "engine/options.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

constexpr char kPartial[] = ".partial";

// Without colons, which some programs take for something else; by name is by
// time.
constexpr char kFormat[] = "%E4Y%m%dT%H%M%SZ";
constexpr size_t kTextSize = 16;

std::string TextOf(absl::Time time) {
  return absl::FormatTime(kFormat, time, absl::UTCTimeZone());
}

// nullopt: it is not written as TextOf writes it.
std::optional<absl::Time> TimeIn(absl::string_view text) {
  absl::Time time;
  std::string ignored;
  // Words for infinite times are written alike, too.
  if (text.size() != kTextSize) return std::nullopt;
  if (!absl::ParseTime(kFormat, text, &time, &ignored) || TextOf(time) != text)
    return std::nullopt;
  return time;
}

bool IsThere(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

// Which store that is, or was.
absl::StatusOr<std::string> StoreIdOf(const std::string& path) {
  Options options;
  options.path = path;
  options.on_assertion = EndVerbOnAssertion;
  const absl::StatusOr<KeysStatus> status = PeekKeys(options);
  if (!status.ok()) return status.status();
  return status->store_id;
}

// Under another name first, which no half of a backup may keep, and while
// nobody else can open it.
absl::Status Remove(const std::string& path) {
  const absl::StatusOr<FileLock> lock =
      FileLock::Acquire(path + "/LOCK", absl::ZeroDuration());
  if (!lock.ok()) return lock.status();
  const fs::path whole(path);
  const std::string half = absl::StrCat(
      whole.parent_path().string(), "/.removed-", whole.filename().string());
  std::error_code failed;
  fs::remove_all(half, failed);
  if (!failed) fs::rename(path, half, failed);
  if (!failed) fs::remove_all(half, failed);
  if (failed) return error::System("remove", path, failed.value());
  return absl::OkStatus();
}

}  // namespace

std::string BackupSeries::PathAt(absl::Time time) const {
  return absl::StrCat(folder_, "/", prefix_, TextOf(time));
}

absl::StatusOr<std::vector<absl::Time>> BackupSeries::List(
    absl::string_view ending) const {
  std::vector<absl::Time> times;
  std::error_code failed;
  for (fs::directory_iterator entry(folder_, failed), end;
       !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    absl::string_view rest = name;
    if (!absl::ConsumePrefix(&rest, prefix_) ||
        !absl::ConsumeSuffix(&rest, ending)) {
      continue;
    }
    const std::optional<absl::Time> time = TimeIn(rest);
    std::error_code gone;
    if (time.has_value() && fs::is_directory(entry->symlink_status(gone))) {
      times.push_back(*time);
    }
  }
  if (failed) return error::System("list", folder_, failed.value());
  std::sort(times.begin(), times.end());
  return times;
}

absl::StatusOr<std::optional<absl::Time>> BackupSeries::Latest(
    absl::Time now) const {
  const absl::StatusOr<std::vector<absl::Time>> times = List("");
  if (!times.ok()) return times.status();
  const auto later = std::upper_bound(times->begin(), times->end(), now);
  if (later == times->begin()) return std::nullopt;
  return *(later - 1);
}

absl::StatusOr<std::optional<std::string>> BackupSeries::InterruptedPath()
    const {
  const absl::StatusOr<std::vector<absl::Time>> times = List(kPartial);
  if (!times.ok()) return times.status();
  for (auto time = times->rbegin(); time != times->rend(); ++time) {
    // One that is whole by now came from elsewhere, as a copy put back.
    if (std::string path = PathAt(*time); !IsThere(path)) return path;
  }
  return std::nullopt;
}

std::string BackupSeries::FreePath(absl::Time now) const {
  while (IsThere(PathAt(now)) || IsThere(PathAt(now) + kPartial)) {
    now += absl::Seconds(1);
  }
  return PathAt(now);
}

absl::StatusOr<size_t> BackupSeries::KeepLatest(size_t count,
                                                const std::string& made) const {
  const absl::StatusOr<std::string> store_id = StoreIdOf(made);
  if (!store_id.ok()) return store_id.status();
  absl::StatusOr<std::vector<absl::Time>> times = List("");
  if (!times.ok()) return times.status();
  std::reverse(times->begin(), times->end());
  size_t kept = 0;
  size_t removed = 0;
  absl::Status status;
  for (const absl::Time time : *times) {
    const std::string path = PathAt(time);
    const absl::StatusOr<std::string> of = StoreIdOf(path);
    // What somebody has open is nobody's to remove, nor what is no backup.
    if (!of.ok() || *of != *store_id) {
      if (absl::IsUnavailable(of.status())) status.Update(of.status());
      continue;
    }
    if (++kept <= count || path == made) continue;
    const absl::Status gone = Remove(path);
    if (gone.ok()) ++removed;
    status.Update(gone);
  }
  if (!status.ok()) return status;
  return removed;
}

}  // namespace statecpp
