// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_FAILURE_H_
#define STATECPP_CLI_FAILURE_H_

#include "absl/status/status.h"
#include "cli/exit_code.h"

namespace statecpp {

// Why a verb other than `serve` could not do what it should:
//
//   if (!status.ok()) return Fail(status);
//
// prints "statecpp: " and the text on standard error, and returns what to exit
// with:
//
//   INVALID_ARGUMENT   2    NOT_FOUND          3    ALREADY_EXISTS   4
//   FAILED_PRECONDITION 4, an ETag does not match
//   DATA_LOSS          5    a server that does not answer            6
//   PERMISSION_DENIED  7, the key was refused
//   UNAVAILABLE        73 if another process holds the store
//   the system refused, or the disk is full or failed               74
//   anything else      1
ExitCode Fail(const absl::Status& status);

}  // namespace statecpp

#endif  // STATECPP_CLI_FAILURE_H_
