// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_DISK_H_
#define STATECPP_TESTS_POWER_DISK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/power/recording.h"

namespace statecpp {

// What a file system has of a recording's folder: what is surely on the disk,
// and what is on its way there and may arrive in any part and order.
//
//   Disk disk(recording, {});
//   disk.GoOn(events);  // so many of them have happened
//   const DiskImage image = DiskImage::Of(disk, seed, choice);
//
// What is assumed of a disk and a file system:
//
//   - `sector` bytes at a multiple of so many arrive whole or not at all, and
//     as they were at one moment;
//   - what a sync has returned for has arrived: bytes and size of a file, all
//     names of a folder. A sync of a file does nothing for its name;
//   - one rename, or one exchange, arrives whole.
//
// Nothing else: sizes may arrive without the bytes and the reverse, names of
// files without the files, writes in any order.
class Disk {
 public:
  // A disk that breaks its promises. What stands on it must be seen to fall.
  enum class Lie {
    kNone,
    kSyncsNoData,      // fdatasync and fsync of a file do nothing
    kSyncsNoNames,     // fsync of a folder does nothing
    kSyncsAfterNames,  // nor anything else, before the first rename
  };

  struct Promises {
    Lie lie = Lie::kNone;
    uint64_t sector = 512;
    // After a sync that failed, what it was to write counts as written, and a
    // later sync succeeds without it: Linux since ever. Otherwise that later
    // sync writes it.
    bool forgets_failed = true;
  };

  // The recording outlives this.
  Disk(const Recording& recording, Promises promises);

  // Goes on until so many events have happened. The last of them has not
  // returned: a sync has promised nothing yet. One more than there are: all of
  // them have returned. Never goes back.
  void GoOn(size_t events);

  // Bytes on their way, of one event, in one sector.
  struct Piece {
    size_t event;
    uint64_t offset;
    absl::string_view bytes;
    bool is_forgotten;
  };
  struct File {
    std::string arrived;
    std::vector<Piece> pieces;                         // in order of events
    std::vector<std::pair<size_t, uint64_t>> resizes;  // event and size
  };
  using Names = std::map<std::string, NodeId>;

  const Recording& recording() const { return recording_; }
  const std::map<NodeId, File>& files() const { return files_; }
  const std::map<NodeId, Names>& folders() const { return folders_; }
  // Events that changed names, which may not have arrived; in order.
  const std::vector<size_t>& renames() const { return renames_; }
  uint64_t sector() const { return promises_.sector; }

  // As large as the file is when all has arrived.
  static uint64_t SizeOf(const File& file);

 private:
  void Happen(size_t event);
  void Return(size_t event);
  void Write(size_t event);
  void Resize(size_t event);
  void AddPieces(File& file, size_t event, uint64_t offset,
                 absl::string_view bytes);
  void SyncFile(File& file);
  void SyncRange(File& file, uint64_t from, uint64_t to);
  void SyncFolder(NodeId folder);
  bool IsLie(size_t event) const;

  const Recording& recording_;
  const Promises promises_;
  size_t first_move_;  // the first event that moved a name
  size_t happened_ = 0;
  size_t returned_ = 0;
  std::map<NodeId, File> files_;
  std::map<NodeId, Names> folders_;
  std::vector<size_t> renames_;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_DISK_H_
