// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STORE_KEY_CHECKS_H_
#define STATECPP_CLI_STORE_KEY_CHECKS_H_

#include <string>

#include "absl/status/status.h"
#include "cli/finding.h"
#include "engine/keys_status.h"

namespace statecpp {

// Of the key of a sealed store: that it does not open it or may not be used, as
// `status` says; and that none was given to try.
Finding KeyRefused(const std::string& store, const std::string& data_root,
                   const absl::Status& status);
Finding KeyNotGiven(const std::string& store, const KeysStatus& keys);

}  // namespace statecpp

#endif  // STATECPP_CLI_STORE_KEY_CHECKS_H_
