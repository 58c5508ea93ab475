// SPDX-License-Identifier: Apache-2.0
#include "tests/leaks/process_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

// An entry of /proc/PID/smaps: a line with addresses, then a line for each
// property.
struct Mapping {
  std::string name = "";
  uint64_t begin = 0;
  uint64_t end = 0;
  bool is_private = false;
  bool is_special = false;  // the kernel's, not readable
  uint64_t resident_kib = 0;
  std::string flags = "";
};

std::vector<Mapping> MappingsOf(pid_t pid) {
  std::vector<Mapping> mappings;
  std::ifstream in(absl::StrCat("/proc/", pid, "/smaps"));
  for (std::string line; std::getline(in, line);) {
    uint64_t begin = 0;
    uint64_t end = 0;
    char mode[5] = "";
    if (sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s", &begin, &end,
               mode) == 3) {
      mappings.push_back({.name = line,
                          .begin = begin,
                          .end = end,
                          .is_private = mode[3] == 'p',
                          .is_special = absl::StrContains(line, "[v")});
      continue;
    }
    std::istringstream words(line);
    std::string property;
    words >> property;
    if (property == "Rss:") words >> mappings.back().resident_kib;
    if (property == "VmFlags:") std::getline(words, mappings.back().flags);
  }
  return mappings;
}

}  // namespace

std::vector<MemoryRegion> PrivateMemoryOf(pid_t pid) {
  std::vector<MemoryRegion> regions;
  const int fd =
      open(absl::StrCat("/proc/", pid, "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_GE(fd, 0) << strerror(errno);
  for (const Mapping& mapping : MappingsOf(pid)) {
    // Address space that was only set aside holds nothing.
    if (!mapping.is_private || mapping.is_special ||
        mapping.resident_kib == 0) {
      continue;
    }
    std::string bytes(mapping.end - mapping.begin, '\0');
    const ssize_t size = pread(fd, bytes.data(), bytes.size(),
                               static_cast<off_t>(mapping.begin));
    EXPECT_EQ(size, static_cast<ssize_t>(bytes.size()))
        << mapping.name << ": " << strerror(errno);
    regions.push_back({.name = mapping.name,
                       .locked = absl::StrContains(mapping.flags, " lo"),
                       .dumped = !absl::StrContains(mapping.flags, " dd"),
                       .bytes = std::move(bytes)});
  }
  if (fd >= 0) close(fd);
  EXPECT_FALSE(regions.empty());
  return regions;
}

}  // namespace statecpp
