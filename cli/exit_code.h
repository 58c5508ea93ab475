// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_EXIT_CODE_H_
#define STATECPP_CLI_EXIT_CODE_H_

#include "absl/status/status.h"
#include "engine/error_payload.h"

namespace statecpp {

// What `statecpp` exits with; part of its interface, as scripts and supervisors
// read it (docs/operations.md).
enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitNotFound = 3,
  kExitConflict = 4,
  kExitDamaged = 5,
  kExitUnreachable = 6,
  kExitKeyRefused = 7,
  kExitAssertion = 70,
  kExitLockHeld = 73,
  kExitIo = 74,
};

// Why serving could not begin.
inline ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
      return kExitUsage;
    case absl::StatusCode::kPermissionDenied:
      return error::IsAboutKey(status) ? kExitKeyRefused : kExitUsage;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAlreadyExists:
      return kExitLockHeld;
    case absl::StatusCode::kDataLoss:
      return kExitDamaged;
    default:
      return kExitFailed;
  }
}

}  // namespace statecpp

#endif  // STATECPP_CLI_EXIT_CODE_H_
