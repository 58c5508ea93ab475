// SPDX-License-Identifier: Apache-2.0
#include "server/free_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

namespace statecpp {

size_t OwnMemory() {
  std::ifstream statm("/proc/self/statm");
  size_t size = 0, resident = 0, of_files = 0;
  if (!(statm >> size >> resident >> of_files)) return 0;
  return (resident - of_files) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

void ReturnFreeMemory(size_t keep) {
  if (OwnMemory() > keep) malloc_trim(0);
}

}  // namespace statecpp
