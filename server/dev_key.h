// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_DEV_KEY_H_
#define STATECPP_SERVER_DEV_KEY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace statecpp {

// The key that `serve --dev` seals stores under when it is given none: it is
// kept beside them, in `<data root>/dev.key`, and so protects nothing. It lets
// development run sealed as production does.
std::string DevKeyPath(absl::string_view data_root);

// Makes the file, of mode 0600 and durably, if it is not there; after a crash
// it is there whole or not at all. Whoever calls this holds the data root.
//
// Those of error::System.
absl::Status EnsureDevKey(const std::string& data_root);

}  // namespace statecpp

#endif  // STATECPP_SERVER_DEV_KEY_H_
