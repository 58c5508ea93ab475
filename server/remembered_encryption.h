// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_REMEMBERED_ENCRYPTION_H_
#define STATECPP_SERVER_REMEMBERED_ENCRYPTION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/data_root.h"

namespace statecpp {

// For a store that was sealed while nobody served it: has the instances of that
// `dataDir`, of which it is remembered that encryption is off, remembered as
// ones that require it. So a server that starts next serves them with its key,
// before daprd configures them again. Returns their names in order;
// none is no error.
//
// What cannot be read is left alone: the next Init mends it.
//
// Those of DataRoot.
absl::StatusOr<std::vector<std::string>> RequireEncryptionOf(
    const DataRoot& root, absl::string_view data_dir);

}  // namespace statecpp

#endif  // STATECPP_SERVER_REMEMBERED_ENCRYPTION_H_
