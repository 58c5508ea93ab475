// SPDX-License-Identifier: Apache-2.0
#include "cli/backup_series.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/errors.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

constexpr char kPartial[] = ".partial";

// Without colons, which some programs take for something else; by name is by
// time.
constexpr char kFormat[] = "%E4Y%m%dT%H%M%SZ";

std::string TextOf(absl::Time time) {
  return absl::FormatTime(kFormat, time, absl::UTCTimeZone());
}

// nullopt: it is not written as TextOf writes it.
std::optional<absl::Time> TimeIn(absl::string_view text) {
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime(kFormat, text, &time, &ignored) || TextOf(time) != text)
    return std::nullopt;
  return time;
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

absl::StatusOr<std::string> BackupSeries::NextPath(absl::Time now) const {
  const absl::StatusOr<std::vector<absl::Time>> interrupted = List(kPartial);
  if (!interrupted.ok()) return interrupted.status();
  if (!interrupted->empty()) return PathAt(interrupted->back());
  std::error_code failed;
  while (fs::exists(fs::symlink_status(PathAt(now), failed))) {
    now += absl::Seconds(1);
  }
  return PathAt(now);
}

absl::StatusOr<size_t> BackupSeries::KeepLatest(size_t count,
                                                absl::string_view made) const {
  absl::StatusOr<std::vector<absl::Time>> times = List("");
  if (!times.ok()) return times.status();
  std::reverse(times->begin(), times->end());
  size_t removed = 0;
  for (size_t i = count; i < times->size(); ++i) {
    const std::string path = PathAt((*times)[i]);
    if (path == made) continue;
    std::error_code failed;
    fs::remove_all(path, failed);
    if (failed) return error::System("remove", path, failed.value());
    ++removed;
  }
  return removed;
}

}  // namespace statecpp
