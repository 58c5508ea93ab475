// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_DATA_ROOT_CHECKS_H_
#define STATECPP_CLI_DATA_ROOT_CHECKS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "cli/finding.h"
#include "cli/lock_holder.h"

namespace statecpp {

// A data root, and what was seen of its server.
struct DataRootSeen {
  std::string path;
  LockHolder lock = {.state = LockHolder::State::kAbsent};
  // A server answers on its admin socket.
  bool served = false;
  // Why it cannot be asked, where one may be there.
  absl::Status unreachable = absl::OkStatus();
};

// Looks for the server, and asks it nothing.
DataRootSeen LookAtDataRoot(const std::string& path);

// Whether stores can be looked at, or made, there: it is a folder that this
// user may use.
bool IsUsable(const DataRootSeen& root);

// The folder: there, whose it is, its mode, its file system; and a key that
// should not be in it.
Findings CheckDataRootFolder(const DataRootSeen& root);

// Its server: who holds the lock, and whether the admin socket answers.
Findings CheckServer(const DataRootSeen& root);

// Room on its disk for what its stores may still take.
Findings CheckDisk(const DataRootSeen& root, uint64_t still_wanted);

// Whether keys stay out of swap, for a process that this user starts.
Findings CheckLockedMemory();

}  // namespace statecpp

#endif  // STATECPP_CLI_DATA_ROOT_CHECKS_H_
