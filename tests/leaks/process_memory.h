// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_LEAKS_PROCESS_MEMORY_H_
#define STATECPP_TESTS_LEAKS_PROCESS_MEMORY_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace statecpp {

// A part of another process's memory.
struct MemoryRegion {
  std::string name;  // as /proc/PID/maps has it
  bool locked;       // does not come into swap
  bool dumped;       // comes into a core file
  std::string bytes;
};

// The memory that is the process's alone: heap, stacks, and whatever else no
// file stands behind, or did before it was written to. A failed test if it
// cannot be read: the process must be one that may be traced. Stop it first.
std::vector<MemoryRegion> PrivateMemoryOf(pid_t pid);

}  // namespace statecpp

#endif  // STATECPP_TESTS_LEAKS_PROCESS_MEMORY_H_
