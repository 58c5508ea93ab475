// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_PROCESS_HARDENING_H_
#define STATECPP_CLI_PROCESS_HARDENING_H_

#include <sys/resource.h>

#include <cstddef>

#include "absl/status/status.h"

namespace statecpp {

// What the program asks of the kernel so that keys stay in memory, before the
// first key is read. Only the program does: a library that changed its host's
// limits would be a bad guest.

// From now on no core file is written of this process, whoever asks, and other
// processes of its user can neither trace it nor read its memory or its
// environment in /proc. Keys are left out of core files in any case, but values
// and what a computation leaves on the stack are not. Root can still do all of
// it.
//
// INVALID_ARGUMENT: the kernel forbids it; the text says how to do without.
absl::Status ForbidCoreDumps();

// As much locked memory as the keys of some stores take: a page for each key,
// about ten keys for each open store.
inline constexpr size_t kKeyMemory = 256 << 10;

// Whether memory can be locked, so that keys do not come into swap. libsodium
// tries for each key, and says nothing when it fails. Raises the soft limit
// (RLIMIT_MEMLOCK) to the hard one first.
//
// INVALID_ARGUMENT: kKeyMemory bytes cannot be; the text says what to raise.
absl::Status CheckKeyMemory();

}  // namespace statecpp

#endif  // STATECPP_CLI_PROCESS_HARDENING_H_
