// SPDX-License-Identifier: Apache-2.0
#include "engine/meta_page.h"

#include <unistd.h>

#include <cerrno>

#include "engine/lmdb_page.h"

namespace statecpp {
namespace {

// Of a meta page, what a commit writes, from map_size on; within the smallest
// sector of any disk.
constexpr uint64_t kBegin = 32;
constexpr size_t kSize = 120;

}  // namespace

FormerMetaPage::FormerMetaPage(int fd, uint64_t transaction, uint32_t page_size)
    : fd_(fd), offset_(transaction % kLmdbMetaPages * page_size + kBegin) {
  if (!LmdbPage::Read(fd_, offset_, kSize, bytes_)) bytes_.clear();
}

void FormerMetaPage::PutBack() const {
  [[maybe_unused]] const ssize_t written =
      pwrite(fd_, bytes_.data(), bytes_.size(), static_cast<off_t>(offset_));
}

int SettleMetaPages(int fd, uint32_t page_size) {
  for (uint64_t page = 0; page < kLmdbMetaPages; ++page) {
    const auto offset = static_cast<off_t>(page * page_size + kBegin);
    std::string bytes;
    if (!LmdbPage::Read(fd, offset, kSize, bytes)) return EIO;
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), offset);
    if (written < 0) return errno;
    if (written != static_cast<ssize_t>(bytes.size())) return EIO;
  }
  return fdatasync(fd) == 0 ? 0 : errno;
}

}  // namespace statecpp
