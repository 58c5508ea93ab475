// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STORE_NAMES_H_
#define STATECPP_CLI_STORE_NAMES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace statecpp {

// What components call the stores that a data root holds, in order of their
// names. Those being made are none yet.
//
// Those of error::System: they cannot be listed.
absl::StatusOr<std::vector<std::string>> StoreNames(
    const std::string& data_root);

}  // namespace statecpp

#endif  // STATECPP_CLI_STORE_NAMES_H_
