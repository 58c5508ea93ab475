// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_FOLDER_H_
#define STATECPP_ENGINE_STORE_FOLDER_H_

#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/file_lock.h"
#include "engine/options.h"

namespace statecpp {

// The folder of one store, held by this process:
//
//   <path>/LOCK       who has the store open
//   <path>/data.mdb   LMDB's data
//   <path>/lock.mdb   LMDB's readers
//
// A store comes into being whole. It is made in <parent>/.new-XXXXXX, synced,
// and renamed into place, since LMDB writes its first pages without a sync: a
// power cut there would leave a file that never opens again. What such a cut
// leaves behind is removed when a store in that parent is opened, but not
// within the minute.
class StoreFolder {
 public:
  // Locks the folder at `options.path`, or makes it by calling `make` with the
  // path of the folder being prepared, in which it is to leave a closed
  // data.mdb.
  //
  // Errors as for Store::Open.
  static absl::StatusOr<StoreFolder> Open(
      const Options& options,
      absl::FunctionRef<absl::Status(const std::string& folder)> make);

  // Whether there is a store at `path` that Open would lock; changes nothing.
  //
  // NOT_FOUND: there is nothing, or an empty folder. DATA_LOSS: there are
  // files, and no data.mdb. INVALID_ARGUMENT: it is no folder. Those of
  // error::System.
  static absl::Status CheckThere(const std::string& path);

  const std::string& path() const { return path_; }

 private:
  StoreFolder(std::string path, FileLock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  FileLock lock_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_FOLDER_H_
