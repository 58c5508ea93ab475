// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_DATA_ROOT_CHECKS_H_
#define STATECPP_CLI_DATA_ROOT_CHECKS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "cli/finding.h"
#include "cli/lock_holder.h"

namespace statecpp {

// A data root, and what was seen of its server.
struct DataRootSeen {
  std::string path = "";
  // As serve has it, which then takes it for one of this machine alone.
  bool allow_network_file_system = false;
  LockHolder lock = {.state = LockHolder::State::kAbsent};
  // A server answers on its admin socket.
  bool served = false;
  // Why it cannot be asked, where one may be there.
  absl::Status unreachable = absl::OkStatus();
};

// The command that looks as the owner of the data root at `path` would.
std::string DoctorAs(uid_t owner, const std::string& path);

// Looks for the server, and asks it nothing.
DataRootSeen LookAtDataRoot(const std::string& path,
                            bool allow_network_file_system);

// Whether stores can be looked at there: it is a folder that this user may use,
// or may but for how it is mounted.
bool IsUsable(const DataRootSeen& root);

// The folder: there, whose it is, its mode, its file system; and a key that
// should not be in it.
Findings CheckDataRootFolder(const DataRootSeen& root);

// Its server: who holds the lock, and whether the admin socket answers.
Findings CheckServer(const DataRootSeen& root);

// Room on its disk, also for what its stores are still to be able to take.
Findings CheckDisk(const DataRootSeen& root, uint64_t still_wanted);
Finding CheckRoom(const std::string& path, uint64_t left,
                  uint64_t still_wanted);

// Whether keys stay out of swap, for a process that this user starts.
Findings CheckLockedMemory();

}  // namespace statecpp

#endif  // STATECPP_CLI_DATA_ROOT_CHECKS_H_
