// SPDX-License-Identifier: Apache-2.0
#include "cli/failure.h"

#include <iostream>

#include "engine/error_payload.h"
#include "server/errors.h"

namespace statecpp {
namespace {

ExitCode ExitCodeOfVerb(const absl::Status& status) {
  if (error::IsUnreachable(status)) return kExitUnreachable;
  if (error::IsStoreHeld(status)) return kExitLockHeld;
  // Before the code: a file that may not be read is not a key that was refused.
  if (error::IsSystem(status) && !absl::IsNotFound(status)) return kExitIo;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return kExitConflict;
    case absl::StatusCode::kDataLoss:
      return kExitDamaged;
    case absl::StatusCode::kPermissionDenied:
      return kExitKeyRefused;
    // A full store or disk, and a sync that failed.
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnknown:
      return kExitIo;
    default:
      return kExitFailed;
  }
}

}  // namespace

ExitCode Fail(const absl::Status& status) {
  std::cerr << "statecpp: " << status.message() << "\n";
  return ExitCodeOfVerb(status);
}

}  // namespace statecpp
