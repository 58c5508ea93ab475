// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_KEY_FILE_H_
#define STATECPP_CRYPTO_KEY_FILE_H_

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/secret_bytes.h"

namespace statecpp {

// Told, once for each time a file is read, why it should have been refused.
using KeyWarning = std::function<void(absl::string_view text)>;

// A file that holds secrets.
struct KeyFile {
  std::string description;  // for errors: "key file /etc/statecpp/prod.key"
  std::string path;
  size_t max_size;
  // Reads a file that others could read or change, and tells `on_warning`.
  bool allow_loose = false;
  KeyWarning on_warning = nullptr;
};

// What the file holds. Follows symbolic links, as Kubernetes and systemd mount
// keys behind some, and judges the file that it has opened, so that none can
// be put in its place between the look and the read. Never waits: a FIFO that
// nobody writes is refused as every file is that is not a regular one.
//
// INVALID_ARGUMENT: not a regular file, or too large.
// PERMISSION_DENIED: there is none, or it may not be read; others may read it,
//   or its group write it; it belongs to neither this process's user nor root;
//   others can put another in its place: they can write its folder, or that of
//   a link to it (one with a sticky bit, as /tmp has, will do where the entry
//   belongs to this user or to root).
absl::StatusOr<SecretBytes> ReadKeyFile(const KeyFile& file);

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_KEY_FILE_H_
