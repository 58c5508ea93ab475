// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_RECORDING_H_
#define STATECPP_TESTS_POWER_RECORDING_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace statecpp {

// A file or a folder, numbered as the recorder met them; 0 is the folder that
// is recorded. A rename does not change the number.
using NodeId = int;
constexpr NodeId kRootFolder = 0;
constexpr NodeId kNoNode = -1;

// A name in a folder, and what it names from now on; kNoNode: nothing.
struct NameChange {
  NodeId folder;
  std::string name;
  NodeId node;
};

// One thing that a process did to what is below the folder.
struct DiskEvent {
  enum class Kind {
    kWrite,       // `bytes` at `offset`
    kResize,      // to `offset` bytes
    kNames,       // all of `names` at once
    kSync,        // of all bytes of a file, or of all names of a folder
    kFailedSync,  // the same, answered by an error
  };

  Kind kind;
  NodeId node = kNoNode;
  uint64_t offset = 0;
  std::string bytes = "";
  // A write that is durable when it returns, through a descriptor that was
  // opened with O_DSYNC.
  bool is_synced = false;
  // A write that was answered by an error, and reached the page cache before.
  bool has_failed = false;
  std::vector<NameChange> names = {};
};

// What a process did below one folder, in order, and what was there before.
// What was there before is on the disk.
struct Recording {
  struct Node {
    bool is_folder = false;
    std::string first_name = "";
  };
  std::vector<Node> nodes;
  std::map<NodeId, std::string> files;
  std::map<NodeId, std::map<std::string, NodeId>> folders;
  std::vector<DiskEvent> events;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_RECORDING_H_
