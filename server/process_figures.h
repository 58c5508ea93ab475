// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_PROCESS_FIGURES_H_
#define STATECPP_SERVER_PROCESS_FIGURES_H_

#include <cstdint>

namespace statecpp {

// What the kernel says of this process; 0 where it does not.
struct ProcessFigures {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // since 1970
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_descriptors = 0;
  uint64_t max_descriptors = 0;
  uint64_t threads = 0;
};

ProcessFigures ReadProcessFigures();

}  // namespace statecpp

#endif  // STATECPP_SERVER_PROCESS_FIGURES_H_
