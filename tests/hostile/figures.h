// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_HOSTILE_FIGURES_H_
#define STATECPP_TESTS_HOSTILE_FIGURES_H_

#include <sys/types.h>

#include <cstdint>
#include <ostream>
#include <string>

namespace statecpp {

// What a server uses at a moment, as the kernel and LMDB's own files tell.
struct Figures {
  uint64_t memory_kib = 0;  // its own: not the pages of files
  uint64_t threads = 0;
  uint64_t descriptors = 0;
  uint64_t readers = 0;  // slots of LMDB's reader tables that were ever taken
  uint64_t pages = 0;    // that the stores' files have had in use at a time
};

// Of the process `pid`, whose stores lie in `stores`.
Figures FiguresOf(pid_t pid, const std::string& stores);

// Each at its highest.
Figures Highest(const Figures& a, const Figures& b);

std::ostream& operator<<(std::ostream& out, const Figures& figures);

}  // namespace statecpp

#endif  // STATECPP_TESTS_HOSTILE_FIGURES_H_
