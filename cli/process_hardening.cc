// SPDX-License-Identifier: Apache-2.0
#include "cli/process_hardening.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace statecpp {
namespace {

absl::Status CoreDumpsStayAllowed(int code) {
  return absl::InvalidArgumentError(absl::StrCat(
      "core dumps of this process cannot be forbidden (", strerror(code),
      "): a core file could hold keys and values; allow prctl and "
      "setrlimit, or take the risk with --allow-core-dumps; no "
      "key was read"));
}

absl::Status KeysMayComeIntoSwap(int code, rlim_t limit) {
  const std::string limit_text =
      limit == RLIM_INFINITY ? "unlimited" : absl::StrCat(limit, " bytes");
  return absl::InvalidArgumentError(absl::StrCat(
      "memory for keys cannot be locked (", strerror(code), "), and keys may ",
      "come into swap: RLIMIT_MEMLOCK is ", limit_text, ", ", kKeyMemory,
      " are wanted; raise it (ulimit -l, LimitMEMLOCK= of systemd, --ulimit "
      "memlock= of a container), or switch swap off"));
}

}  // namespace

absl::Status ForbidCoreDumps() {
  const rlimit none = {.rlim_cur = 0, .rlim_max = 0};
  // Each by itself leaves a gap: a core_pattern that names a program is run
  // whatever the limit, and a command that we start for a key is dumpable
  // again, but keeps the limit.
  if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0) {
    return CoreDumpsStayAllowed(errno);
  }
  return absl::OkStatus();
}

absl::Status CheckKeyMemory() {
  rlimit limit = {};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  if (limit.rlim_cur != limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_MEMLOCK, &limit);
  }
  void* const memory = mmap(nullptr, kKeyMemory, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return KeysMayComeIntoSwap(errno, limit.rlim_max);
  const int code = mlock(memory, kKeyMemory) == 0 ? 0 : errno;
  munmap(memory, kKeyMemory);
  return code == 0 ? absl::OkStatus()
                   : KeysMayComeIntoSwap(code, limit.rlim_max);
}

}  // namespace statecpp
