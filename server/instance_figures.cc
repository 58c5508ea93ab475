// SPDX-License-Identifier: Apache-2.0
#include "server/instance_figures.h"

#include "engine/error_payload.h"

namespace statecpp {

Result ResultOf(const absl::Status& status) {
  switch (error::HttpCode(status).value_or(0)) {
    case 413:
      return Result::kTooLarge;
    case 422:
      return Result::kInvalid;
    case 507:
      return Result::kFull;
    default:
      break;
  }
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return Result::kOk;
    case absl::StatusCode::kFailedPrecondition:
      return Result::kEtagMismatch;
    case absl::StatusCode::kInvalidArgument:
      return Result::kInvalid;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
      return Result::kUnavailable;
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
      return Result::kTimeout;
    default:
      return Result::kError;
  }
}

}  // namespace statecpp
