// SPDX-License-Identifier: Apache-2.0
#include "engine/reserve.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include "engine/errors.h"

namespace statecpp {
namespace {

constexpr uint64_t kMinReserve = uint64_t{256} << 10;
constexpr uint64_t kMaxReserve = uint64_t{8} << 20;
// LMDB wants maps in whole pages of the machine; the largest that Linux has.
constexpr uint64_t kMapUnit = 65536;

uint64_t ReserveFor(uint64_t max_size) {
  return std::clamp(max_size / 16, kMinReserve, kMaxReserve);
}

}  // namespace

uint64_t Reserve::MapSize(uint64_t max_size) {
  const uint64_t size = max_size + ReserveFor(max_size);
  return (size + kMapUnit - 1) / kMapUnit * kMapUnit;
}

absl::Status Reserve::PrepareDisk(uint64_t pages, uint64_t live_pages) {
  const uint64_t page_size = environment_.page_size();
  const uint64_t file_pages = environment_.file_pages();
  const uint64_t end = file_pages * page_size;
  const uint64_t reserve = ReserveFor(max_size_);
  const uint64_t needed = end + pages * page_size + reserve;
  if (needed <= allocated_) return absl::OkStatus();
  // Some more than needed, so that the next put need not ask again.
  const uint64_t generous = needed + reserve / 2;
  if (SetAside(end, generous)) {
    allocated_ = generous;
    return absl::OkStatus();
  }
  if (SetAside(end, needed)) {
    allocated_ = needed;
    return absl::OkStatus();
  }
  // No more blocks, but pages within the file may be free. LMDB takes those or,
  // where they are scattered or not yet usable, blocks of the reserve; of the
  // two together the reserve must be left. Twice as many pages as needed,
  // because those that the last two commits freed are not yet usable.
  const uint64_t within =
      (file_pages - std::min(file_pages, live_pages)) * page_size;
  const uint64_t beyond = allocated_ - std::min(allocated_, end);
  if (within + beyond >= 2 * pages * page_size + reserve) {
    return absl::OkStatus();
  }
  return error::DiskFull(path_);
}

bool Reserve::SetAside(uint64_t from, uint64_t to) {
  const int fd = environment_.descriptor();
  if (fallocate(fd, FALLOC_FL_KEEP_SIZE, from, to - from) == 0) return true;
  if (errno != EOPNOTSUPP) return false;
  // A file system that cannot set blocks aside: at least it has them now.
  struct statvfs space;
  return fstatvfs(fd, &space) == 0 &&
         uint64_t{space.f_bavail} * space.f_frsize >= to - from;
}

absl::Status Reserve::CheckMap(uint64_t live_before,
                               uint64_t live_after) const {
  const uint64_t page_size = environment_.page_size();
  if (live_after * page_size <= max_size_) return absl::OkStatus();
  return error::StoreFull(live_before * page_size, max_size_);
}

}  // namespace statecpp
