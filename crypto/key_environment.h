// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_KEY_ENVIRONMENT_H_
#define STATECPP_CRYPTO_KEY_ENVIRONMENT_H_

#include <optional>
#include <string>

#include "crypto/secret_bytes.h"

namespace statecpp {

// The value of an environment variable, which is then no more: its bytes are
// wiped where they stand, and it is unset, so that neither /proc/PID/environ
// nor a child process shows it. nullopt when it is not set. Not to be called
// while another thread uses the environment.
std::optional<SecretBytes> TakeVariable(const std::string& name);

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_KEY_ENVIRONMENT_H_
