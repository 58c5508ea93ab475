// SPDX-License-Identifier: Apache-2.0
#include "server/process_figures.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace statecpp {
namespace {

std::string ReadAll(const char* path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

double NumberOf(absl::string_view word) {
  double number = 0;
  return absl::SimpleAtod(word, &number) ? number : 0;
}

// When the system was booted, in seconds since 1970. Not from /proc/stat, which
// a service may not see (ProcSubset=pid).
double BootTime() {
  timespec since_boot = {};
  clock_gettime(CLOCK_BOOTTIME, &since_boot);
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec - since_boot.tv_sec) +
         static_cast<double>(now.tv_nsec - since_boot.tv_nsec) / 1e9;
}

uint64_t CountDescriptors() {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  uint64_t count = 0;
  while (const dirent* const entry = readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(folder);
  return count - 1;  // the one that this took
}

}  // namespace

ProcessFigures ReadProcessFigures() {
  ProcessFigures figures;
  figures.open_descriptors = CountDescriptors();
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    figures.max_descriptors = limit.rlim_cur;
  }
  // proc(5): the name in parentheses may have any character in it, and the
  // fields behind it are counted from the third.
  const std::string stat = ReadAll("/proc/self/stat");
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return figures;
  const std::vector<absl::string_view> fields = absl::StrSplit(
      absl::string_view(stat).substr(name_end + 1), ' ', absl::SkipEmpty());
  const auto field = [&fields](size_t number) {
    return number - 3 < fields.size() ? NumberOf(fields[number - 3]) : 0;
  };
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  static const double boot_time = BootTime();
  figures.cpu_seconds = (field(14) + field(15)) / ticks;
  figures.threads = static_cast<uint64_t>(field(20));
  figures.start_time_seconds = boot_time + field(22) / ticks;
  figures.virtual_bytes = static_cast<uint64_t>(field(23));
  figures.resident_bytes =
      static_cast<uint64_t>(field(24)) * sysconf(_SC_PAGESIZE);
  return figures;
}

}  // namespace statecpp
