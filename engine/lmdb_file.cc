// SPDX-License-Identifier: Apache-2.0
//
// The layout of a meta page in LMDB 0.9 on a 64-bit machine (mdb.c, MDB_page
// and MDB_meta), as far as it is read here:
//
//   page header [16]
//   magic(u32) = 0xBEEFC0DE  version(u32) = 1  address(u64)  map_size(u64)
//   free table: page_size(u32) ... [48 in all]   main table [48]
//   last_page(u64)  txn_id(u64)
//
// The first two pages of the file are meta pages; the one with the larger
// txn_id counts.
#include "engine/lmdb_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "engine/coding.h"
#include "engine/errors.h"

namespace statecpp {
namespace {

constexpr uint32_t kMagic = 0xBEEFC0DE;
constexpr uint32_t kVersion = 1;
constexpr size_t kMagicAt = 16;
constexpr size_t kVersionAt = 20;
constexpr size_t kPageSizeAt = 40;
constexpr size_t kLastPageAt = 136;
constexpr size_t kTxnIdAt = 144;
constexpr size_t kMetaSize = 152;
constexpr uint32_t kLargestPage = 0x8000;

std::optional<LmdbMeta> ReadMeta(int fd, off_t offset) {
  char page[kMetaSize];
  if (pread(fd, page, sizeof(page), offset) != ssize_t{sizeof(page)} ||
      LoadFixed<uint32_t>(page + kMagicAt) != kMagic ||
      LoadFixed<uint32_t>(page + kVersionAt) != kVersion) {
    return std::nullopt;
  }
  const LmdbMeta meta = {LoadFixed<uint32_t>(page + kPageSizeAt),
                         LoadFixed<uint64_t>(page + kLastPageAt),
                         LoadFixed<uint64_t>(page + kTxnIdAt)};
  const bool power_of_two = (meta.page_size & (meta.page_size - 1)) == 0;
  if (meta.page_size < 512 || meta.page_size > kLargestPage || !power_of_two) {
    return std::nullopt;
  }
  return meta;
}

}  // namespace

std::optional<LmdbMeta> ReadNewerMeta(int fd) {
  const std::optional<LmdbMeta> first = ReadMeta(fd, 0);
  if (!first.has_value()) return std::nullopt;
  const std::optional<LmdbMeta> second = ReadMeta(fd, first->page_size);
  if (!second.has_value() || second->page_size != first->page_size) {
    return std::nullopt;
  }
  return first->transaction >= second->transaction ? first : second;
}

absl::Status CheckLmdbFile(const std::string& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error::System("open", file, errno);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  struct stat stat;
  if (fstat(fd, &stat) != 0) return error::System("look at", file, errno);
  if (!S_ISREG(stat.st_mode)) {
    return error::FileDamaged(file, "it is not a regular file");
  }
  if (stat.st_size == 0) return error::FileDamaged(file, "it is empty");

  const std::optional<LmdbMeta> newer = ReadNewerMeta(fd);
  if (!newer.has_value()) {
    return error::FileDamaged(
        file, absl::StrCat("its ", stat.st_size,
                           " bytes do not begin with two meta pages"));
  }
  const uint64_t pages = static_cast<uint64_t>(stat.st_size) / newer->page_size;
  if (newer->last_page >= pages) {
    return error::FileDamaged(
        file, absl::StrCat("it has ", pages, " pages of ", newer->page_size,
                           " bytes, and needs ", newer->last_page + 1));
  }
  return absl::OkStatus();
}

absl::Status CheckSameFile(const std::string& file, int fd) {
  struct stat open_one;
  struct stat named;
  if (fstat(fd, &open_one) != 0) return error::System("look at", file, errno);
  if (stat(file.c_str(), &named) != 0) {
    if (errno == ENOENT) return error::FileReplaced(file);
    return error::System("look at", file, errno);
  }
  if (open_one.st_dev != named.st_dev || open_one.st_ino != named.st_ino) {
    return error::FileReplaced(file);
  }
  return absl::OkStatus();
}

}  // namespace statecpp
