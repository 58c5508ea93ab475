// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_CUT_DISK_H_
#define STATECPP_TESTS_POWER_CUT_DISK_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/support/memory_dir.h"
#include "tests/support/temp_dir.h"

namespace statecpp {

// A real file system on a disk in memory, whose power can be cut. It is mounted
// in a mount namespace of this process, and so goes with it.
//
//   auto disk = CutDisk::Make({.type = "ext4", .options = "commit=1000"});
//   ... a process writes below (*disk)->path() ...
//   absl::Status cut = (*disk)->CutPower();
//   ... the process gets errors, and is ended ...
//   absl::Status back = (*disk)->Restart();
//
// The cut is the file system's own shutdown, without writing out its log: what
// it had not sent to the disk is lost, as the cache of a machine is. What it
// sent is on the disk, in the order in which it was sent; disks that reorder
// are the matter of disk.h.
class CutDisk {
 public:
  struct Kind {
    std::string type;     // ext4 or xfs
    std::string options;  // of mount
  };

  // Call before the process starts threads. The error says why it cannot be
  // done here.
  static absl::StatusOr<std::unique_ptr<CutDisk>> Make(const Kind& kind);
  ~CutDisk();

  CutDisk(const CutDisk&) = delete;
  CutDisk& operator=(const CutDisk&) = delete;

  const std::string& path() const { return point_.path(); }

  absl::Status CutPower();

  // Mounts it anew, which is when the file system reads its log. No process may
  // have a file of it open.
  absl::Status Restart();

 private:
  explicit CutDisk(Kind kind) : kind_(std::move(kind)) {}

  absl::Status MakeImage();
  absl::Status AttachLoop();
  absl::Status Mount();

  const Kind kind_;
  const MemoryDir image_;
  const TempDir point_;
  std::string device_;
  int device_fd_ = -1;
  bool mounted_ = false;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_CUT_DISK_H_
