// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_DATA_ROOT_H_
#define STATECPP_SERVER_DATA_ROOT_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/file_lock.h"

namespace statecpp {

// The folder that one server process keeps everything in:
//
//   <root>/LOCK                   who serves it
//   <root>/.admin.sock            where it is asked (admin_socket.h)
//   <root>/stores/<dataDir>/      one store each
//   <root>/instances/<name>.json  how each instance was configured
//   <root>/dev.key                only with --dev (dev_key.h)
//
// Stores and instances are named by FileNameOf() what the user calls them.
//
// Compatible with any number of threads; a file is replaced by one at a time.
class DataRoot {
 public:
  // Makes what is not there (with mode 0700), locks it first of all, and waits
  // up to `lock_timeout` for another process to let go of it. What root makes
  // in the folder of another belongs to that one.
  //
  // UNAVAILABLE: another process serves this root; the text names it.
  // INVALID_ARGUMENT: the path is a file, or on a network file system.
  // PERMISSION_DENIED and those of error::System: it cannot be made or used.
  static absl::StatusOr<DataRoot> Open(const std::string& path,
                                       absl::Duration lock_timeout,
                                       bool allow_network_file_system);

  const std::string& path() const { return path_; }

  // Where the store of that folder name is or will be.
  std::string StorePath(absl::string_view folder_name) const;

  // The folder names of the stores there are, in no order.
  absl::StatusOr<std::vector<std::string>> ListStores() const;

  // What WriteInstance last wrote under that file name; nullopt: nothing.
  absl::StatusOr<std::optional<std::string>> ReadInstance(
      absl::string_view file_name) const {
    return ReadInstanceIn(path_, file_name);
  }

  // The file names under which WriteInstance has written, in no order.
  absl::StatusOr<std::vector<std::string>> ListInstances() const {
    return ListInstancesIn(path_);
  }

  // The same two for who does not hold the root: a file that another process
  // replaces is there as it was or as it is.
  static absl::StatusOr<std::optional<std::string>> ReadInstanceIn(
      const std::string& root, absl::string_view file_name);
  static absl::StatusOr<std::vector<std::string>> ListInstancesIn(
      const std::string& root);

  // Replaces the file as a whole, durably: after a crash it holds the old text
  // or the new one.
  absl::Status WriteInstance(absl::string_view file_name,
                             absl::string_view text) const;

 private:
  DataRoot(std::string path, FileLock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  FileLock lock_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_DATA_ROOT_H_
