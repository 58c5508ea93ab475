// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/figures.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

uint64_t FieldOf(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    uint64_t value = 0;
    if (word == name && file >> value) return value;
  }
  ADD_FAILURE() << path << " has no " << name;
  return 0;
}

template <typename Number>
Number NumberAt(const std::string& bytes, size_t offset) {
  Number number = 0;
  if (bytes.size() < offset + sizeof(number)) return 0;
  memcpy(&number, bytes.data() + offset, sizeof(number));
  return number;
}

std::string BytesOf(const std::filesystem::path& path, size_t size) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(size, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

// In LMDB 0.9: the reader table says how many slots were taken, and each of the
// two meta pages, of which the younger holds, which page is the last.
constexpr uint32_t kMagic = 0xBEEFC0DE;
constexpr size_t kPageSize = 4096;

uint64_t ReadersIn(const std::filesystem::path& lock) {
  const std::string bytes = BytesOf(lock, 64);
  EXPECT_EQ(NumberAt<uint32_t>(bytes, 0), kMagic) << lock;
  return NumberAt<uint32_t>(bytes, 56);
}

uint64_t PagesIn(const std::filesystem::path& data) {
  const std::string bytes = BytesOf(data, 2 * kPageSize);
  uint64_t last = 0, youngest = 0;
  for (const size_t meta : {size_t{16}, kPageSize + 16}) {
    EXPECT_EQ(NumberAt<uint32_t>(bytes, meta), kMagic) << data;
    const auto number = NumberAt<uint64_t>(bytes, meta + 128);
    if (number < youngest) continue;
    youngest = number;
    last = NumberAt<uint64_t>(bytes, meta + 120);
  }
  return last + 1;
}

}  // namespace

Figures FiguresOf(pid_t pid, const std::string& stores) {
  const std::string process = absl::StrCat("/proc/", pid);
  Figures figures;
  figures.memory_kib = FieldOf(process + "/status", "RssAnon:");
  figures.threads = FieldOf(process + "/status", "Threads:");
  const std::filesystem::directory_iterator descriptors(process + "/fd");
  figures.descriptors = static_cast<uint64_t>(
      std::distance(begin(descriptors), end(descriptors)));
  for (const auto& store : std::filesystem::directory_iterator(stores)) {
    if (!std::filesystem::exists(store.path() / "data.mdb")) continue;
    figures.readers += ReadersIn(store.path() / "lock.mdb");
    figures.pages += PagesIn(store.path() / "data.mdb");
  }
  return figures;
}

Figures Highest(const Figures& a, const Figures& b) {
  return {.memory_kib = std::max(a.memory_kib, b.memory_kib),
          .threads = std::max(a.threads, b.threads),
          .descriptors = std::max(a.descriptors, b.descriptors),
          .readers = std::max(a.readers, b.readers),
          .pages = std::max(a.pages, b.pages)};
}

std::ostream& operator<<(std::ostream& out, const Figures& figures) {
  return out << figures.memory_kib << " KiB, " << figures.threads
             << " threads, " << figures.descriptors << " descriptors, "
             << figures.readers << " reader slots, " << figures.pages
             << " pages";
}

}  // namespace statecpp
