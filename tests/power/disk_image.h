// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_DISK_IMAGE_H_
#define STATECPP_TESTS_POWER_DISK_IMAGE_H_

#include <cstdint>
#include <map>
#include <string>

#include "tests/power/disk.h"

namespace statecpp {

// What is found when the power is back: all that had arrived, and of what was
// on its way a part.
class DiskImage {
 public:
  // The same part for the same numbers. The first choices are
  //
  //   0  nothing of it arrived
  //   1  all of it
  //   2  the sizes, without the bytes
  //   3  the bytes, without the sizes
  //
  // and every other is drawn: all but one of the sectors or pages; only one;
  // all up to a moment, with a part of the write of that moment; some; some as
  // they were in between. So are sizes, names, and what is found where bytes
  // did not arrive: zeros, or what the disk held before.
  static DiskImage Of(const Disk& disk, uint64_t seed, uint64_t choice);

  // Makes all of it below `folder`, which is there and empty.
  void WriteTo(const std::string& folder) const;

  const std::map<NodeId, std::string>& files() const { return files_; }
  const std::map<NodeId, Disk::Names>& folders() const { return folders_; }

 private:
  void WriteFolder(NodeId folder, const std::string& path) const;

  std::map<NodeId, std::string> files_;
  std::map<NodeId, Disk::Names> folders_;
  // Folders that were being made are found to be old.
  bool is_old_ = false;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_DISK_IMAGE_H_
