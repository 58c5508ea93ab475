// SPDX-License-Identifier: Apache-2.0
#include "engine/lmdb_page.h"

#include <unistd.h>

#include <cerrno>

#include "engine/coding.h"

namespace statecpp {
namespace {

constexpr uint32_t kMagic = 0xBEEFC0DE;
constexpr uint32_t kVersion = 1;
constexpr size_t kMagicAt = 16;
constexpr size_t kVersionAt = 20;
constexpr size_t kFreeTreeAt = 40;
constexpr size_t kPageSizeAt = kFreeTreeAt;
constexpr size_t kNamesTreeAt = kFreeTreeAt + LmdbTree::kSize;
constexpr size_t kLastPageAt = kNamesTreeAt + LmdbTree::kSize;
constexpr size_t kTransactionAt = kLastPageAt + 8;
constexpr size_t kMetaSize = kTransactionAt + 8;

constexpr uint32_t kSmallestPage = 512;
constexpr uint32_t kLargestPage = 0x8000;

constexpr size_t kNodeHeaderSize = 8;

}  // namespace

LmdbTree LmdbTree::Load(const char* bytes) {
  return {.flags = LoadFixed<uint16_t>(bytes + 4),
          .depth = LoadFixed<uint16_t>(bytes + 6),
          .branch_pages = LoadFixed<uint64_t>(bytes + 8),
          .leaf_pages = LoadFixed<uint64_t>(bytes + 16),
          .overflow_pages = LoadFixed<uint64_t>(bytes + 24),
          .entries = LoadFixed<uint64_t>(bytes + 32),
          .root = LoadFixed<uint64_t>(bytes + 40)};
}

std::optional<LmdbMeta> ReadLmdbMeta(int fd, uint64_t offset, int* error) {
  std::string page;
  if (!LmdbPage::Read(fd, offset, kMetaSize, page, error) ||
      LoadFixed<uint32_t>(page.data() + kMagicAt) != kMagic ||
      LoadFixed<uint32_t>(page.data() + kVersionAt) != kVersion) {
    return std::nullopt;
  }
  const uint32_t page_size = LoadFixed<uint32_t>(page.data() + kPageSizeAt);
  if (page_size < kSmallestPage || page_size > kLargestPage ||
      (page_size & (page_size - 1)) != 0) {
    return std::nullopt;
  }
  return LmdbMeta{
      .page_size = page_size,
      .last_page = LoadFixed<uint64_t>(page.data() + kLastPageAt),
      .transaction = LoadFixed<uint64_t>(page.data() + kTransactionAt),
      .free = LmdbTree::Load(page.data() + kFreeTreeAt),
      .names = LmdbTree::Load(page.data() + kNamesTreeAt)};
}

bool LmdbPage::Read(int fd, uint64_t offset, size_t size, std::string& bytes,
                    int* error) {
  bytes.resize(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(fd, bytes.data() + done, size - done,
                              static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && error != nullptr) *error = errno;
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

uint64_t LmdbPage::number() const { return LoadFixed<uint64_t>(bytes_.data()); }
uint16_t LmdbPage::kind() const {
  return LoadFixed<uint16_t>(bytes_.data() + 10);
}
uint64_t LmdbPage::pages() const {
  return LoadFixed<uint32_t>(bytes_.data() + 12);
}
size_t LmdbPage::lower() const {
  return LoadFixed<uint16_t>(bytes_.data() + 12);
}
size_t LmdbPage::upper() const {
  return LoadFixed<uint16_t>(bytes_.data() + 14);
}

std::optional<size_t> LmdbPage::node_count() const {
  if (lower() < kHeaderSize || lower() % 2 != 0 || lower() > upper() ||
      upper() > bytes_.size()) {
    return std::nullopt;
  }
  return (lower() - kHeaderSize) / 2;
}

std::optional<LmdbNode> LmdbPage::NodeAt(size_t i) const {
  const size_t at = LoadFixed<uint16_t>(bytes_.data() + kHeaderSize + 2 * i);
  if (at < upper() || at % 2 != 0 || at + kNodeHeaderSize > bytes_.size()) {
    return std::nullopt;
  }
  const char* const node = bytes_.data() + at;
  const size_t key_size = LoadFixed<uint16_t>(node + 6);
  const absl::string_view rest = bytes_.substr(at + kNodeHeaderSize);
  if (key_size > rest.size()) return std::nullopt;
  return LmdbNode{LoadFixed<uint16_t>(node), LoadFixed<uint16_t>(node + 2),
                  LoadFixed<uint16_t>(node + 4), rest.substr(0, key_size),
                  rest.substr(key_size)};
}

}  // namespace statecpp
