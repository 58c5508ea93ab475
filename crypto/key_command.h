// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_KEY_COMMAND_H_
#define STATECPP_CRYPTO_KEY_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/secret_bytes.h"

namespace statecpp {

inline constexpr absl::Duration kKeyCommandTimeout = absl::Seconds(10);

// For errors: the program, without its arguments.
std::string DescribeKeyCommand(const std::vector<std::string>& argv);

// Runs `argv` as it stands, without a shell, and returns what it prints,
// kMaxKeyText bytes at most. A name without a slash is looked for in PATH. The
// child has /dev/null to read, our standard error, a process group of its own
// and none of our blocked signals. It is gone when this returns: with its
// group, where it did not end by itself.
//
// INVALID_ARGUMENT: `argv` is empty.
// PERMISSION_DENIED: it could not be started, did not exit with 0, did not end
//   within `timeout`, or printed nothing or too much. No text shows what it
//   printed.
absl::StatusOr<SecretBytes> RunKeyCommand(
    const std::vector<std::string>& argv,
    absl::Duration timeout = kKeyCommandTimeout);

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_KEY_COMMAND_H_
