// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_FILE_TEXT_H_
#define STATECPP_ENGINE_FILE_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace statecpp {

// What a regular file begins with, at most `size` bytes. Waits for nobody, as
// whoever reads a pipe does.
//
//   absl::StatusOr<std::string> text = ReadStartOf(path, kMaxSize + 1);
//
// INVALID_ARGUMENT: it is a pipe or a device. NOT_FOUND: there is none. Others
// of error::System: it cannot be read.
absl::StatusOr<std::string> ReadStartOf(const std::string& file, size_t size);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_FILE_TEXT_H_
