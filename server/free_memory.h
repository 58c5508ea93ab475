// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_FREE_MEMORY_H_
#define STATECPP_SERVER_FREE_MEMORY_H_

#include <cstddef>

namespace statecpp {

// The memory that this process has for itself, in bytes: not the pages of
// mapped files, which are the kernel's to drop. 0 where it cannot be told.
size_t OwnMemory();

// Gives memory that is free back to the system, where OwnMemory() is more than
// `keep`. The C library keeps what a flood of calls took for as long as one
// small block lies behind it. Takes milliseconds.
void ReturnFreeMemory(size_t keep);

}  // namespace statecpp

#endif  // STATECPP_SERVER_FREE_MEMORY_H_
