// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_OPEN_IN_SERVER_H_
#define STATECPP_CLI_OPEN_IN_SERVER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace statecpp {

// Whether the server of a data root, which answers, has the store of that
// `dataDir` open: also one whose folder was removed or moved away, which only
// the server can reach any more.
//
// Those of AskServer.
absl::StatusOr<bool> IsOpenInServer(const std::string& data_root,
                                    absl::string_view data_dir);

}  // namespace statecpp

#endif  // STATECPP_CLI_OPEN_IN_SERVER_H_
