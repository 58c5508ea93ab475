// SPDX-License-Identifier: Apache-2.0
#include "tests/leaks/leak_scanner.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

uint64_t WordAt(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

absl::string_view View(absl::Span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A whole file in memory, read as it is touched.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info = {};
    if (fd < 0 || fstat(fd, &info) != 0) {
      ADD_FAILURE() << path << ": " << strerror(errno);
    } else if (info.st_size > 0) {
      size_ = static_cast<size_t>(info.st_size);
      memory_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
      EXPECT_NE(memory_, MAP_FAILED) << path << ": " << strerror(errno);
    }
    if (fd >= 0) close(fd);
  }
  ~MappedFile() {
    if (memory_ != MAP_FAILED) munmap(memory_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  absl::string_view bytes() const {
    if (memory_ == MAP_FAILED) return "";
    return {static_cast<const char*>(memory_), size_};
  }

 private:
  void* memory_ = MAP_FAILED;
  size_t size_ = 0;
};

}  // namespace

void PrintTo(const Leak& leak, std::ostream* out) {
  constexpr const char* kForms[] = {"as it is", "raw", "in hex", "in base64"};
  *out << leak.what << " " << kForms[static_cast<int>(leak.form)] << " at "
       << leak.offset;
}

std::string HexOf(absl::Span<const uint8_t> bytes, bool upper_case) {
  const std::string hex = absl::BytesToHexString(View(bytes));
  return upper_case ? absl::AsciiStrToUpper(hex) : hex;
}

std::string Base64Within(absl::Span<const uint8_t> bytes, size_t before,
                         bool for_urls) {
  std::string group(before, '\0');
  group += std::string(View(bytes));
  std::string text =
      for_urls ? absl::WebSafeBase64Escape(group) : absl::Base64Escape(group);
  // A character is 6 bits: none that shares bits with a byte outside.
  const size_t first = (before * 8 + 5) / 6;
  const size_t end = group.size() * 8 / 6;
  return text.substr(first, end - first);
}

size_t LeakScanner::FilterBit(uint64_t start) {
  return start * 0x9E3779B97F4A7C15u / (UINT64_MAX / kFilterBits + 1);
}

void LeakScanner::AddNeedle(const std::string& bytes, LeakForm form) {
  const uint64_t start = WordAt(bytes.data());
  const size_t bit = FilterBit(start);
  filter_[bit / 64] |= uint64_t{1} << bit % 64;
  needles_[start][bytes.size()].emplace(
      bytes, Meaning{.what = names_.size() - 1, .form = form});
}

void LeakScanner::AddSecret(const std::string& what,
                            absl::Span<const uint8_t> secret) {
  ASSERT_GE(secret.size(), kRun) << what;
  names_.push_back(what);
  for (size_t at = 0; at + kRun <= secret.size(); ++at) {
    const absl::Span<const uint8_t> run = secret.subspan(at, kRun);
    AddNeedle(std::string(View(run)), LeakForm::kRaw);
    AddNeedle(HexOf(run, /*upper_case=*/false), LeakForm::kHex);
    AddNeedle(HexOf(run, /*upper_case=*/true), LeakForm::kHex);
    for (size_t before = 0; before < 3; ++before) {
      AddNeedle(Base64Within(run, before, false), LeakForm::kBase64);
      AddNeedle(Base64Within(run, before, true), LeakForm::kBase64);
    }
  }
}

void LeakScanner::AddText(const std::string& what, absl::string_view text) {
  ASSERT_GE(text.size(), kRun) << what;
  names_.push_back(what);
  AddNeedle(std::string(text), LeakForm::kText);
}

std::vector<Leak> LeakScanner::Scan(absl::string_view bytes) const {
  std::vector<Leak> leaks;
  std::set<std::pair<size_t, LeakForm>> seen;
  for (size_t at = 0; at + sizeof(uint64_t) <= bytes.size(); ++at) {
    const uint64_t start = WordAt(bytes.data() + at);
    const size_t bit = FilterBit(start);
    if ((filter_[bit / 64] >> bit % 64 & 1) == 0) continue;
    const auto candidates = needles_.find(start);
    if (candidates == needles_.end()) continue;
    for (const auto& [size, needles] : candidates->second) {
      const auto [first, last] =
          needles.equal_range(std::string(bytes.substr(at, size)));
      for (auto needle = first; needle != last; ++needle) {
        const auto [what, form] = needle->second;
        if (seen.emplace(what, form).second) {
          leaks.push_back({.what = names_[what], .form = form, .offset = at});
        }
      }
    }
  }
  return leaks;
}

std::vector<Leak> LeakScanner::ScanFile(const std::string& path) const {
  const MappedFile file(path);
  return Scan(file.bytes());
}

}  // namespace statecpp
