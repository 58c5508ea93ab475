// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_RESERVE_H_
#define STATECPP_ENGINE_RESERVE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "engine/lmdb_environment.h"

namespace statecpp {

// Space that only deletes may use. LMDB writes a page anew to delete from it,
// so a store that is full to the last page can no longer be emptied. Two things
// run out, and each keeps a reserve:
//
//   the map   is larger than max_size by the reserve; puts are held to max_size
//   the disk  has blocks set aside beyond the end of the file (fallocate), and
//             puts must leave a reserve of those
//
// Both are judged by pages that hold something, not by the length of the file:
// a store that was emptied takes puts again at once.
//
// For the one thread that commits; SetMaxSize before the map is enlarged.
class Reserve {
 public:
  // `path` is for error texts.
  Reserve(const LmdbEnvironment& environment, uint64_t max_size,
          std::string path)
      : environment_(environment),
        max_size_(max_size),
        path_(std::move(path)) {}

  // How large a map for `max_size` bytes of puts must be.
  static uint64_t MapSize(uint64_t max_size);

  void SetMaxSize(uint64_t max_size) { max_size_ = max_size; }
  uint64_t max_size() const { return max_size_; }
  const std::string& path() const { return path_; }

  // Before a transaction that puts: is there disk for `pages` more, with the
  // reserve still untouched? `live_pages` hold something now.
  //
  // RESOURCE_EXHAUSTED: the disk is full.
  absl::Status PrepareDisk(uint64_t pages, uint64_t live_pages);

  // Before that transaction commits: are the pages it leaves within max_size?
  //
  // RESOURCE_EXHAUSTED: the store is full; the text has what was in use before.
  absl::Status CheckMap(uint64_t live_before, uint64_t live_after) const;

 private:
  bool SetAside(uint64_t from, uint64_t to);

  const LmdbEnvironment& environment_;
  uint64_t max_size_;
  const std::string path_;
  // The file's blocks are on disk up to here, written or not.
  uint64_t allocated_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_RESERVE_H_
