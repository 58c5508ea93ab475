// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_NEW_FILE_H_
#define STATECPP_CLI_NEW_FILE_H_

#include <sys/types.h>

#include <string>

#include "absl/strings/string_view.h"

// Files that must not take another's place, as the only copy of a key. Both
// return 0, or an error number.
namespace statecpp {

// Writes a file that is not there yet, to the disk; whoever is killed meanwhile
// leaves no half of it under its name. On failure there is no file, unless that
// is EEXIST.
int WriteNewFile(const std::string& path, absl::string_view text, mode_t mode);

// All of it, to a descriptor.
int WriteAll(int fd, absl::string_view text);

}  // namespace statecpp

#endif  // STATECPP_CLI_NEW_FILE_H_
