// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_CHECKED_COPY_H_
#define STATECPP_ENGINE_CHECKED_COPY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "engine/closed_store.h"
#include "engine/record_copy.h"
#include "engine/store_copy.h"
#include "engine/store_folder.h"

// The steps that every copy of a closed store takes, whatever becomes of it:
// look at the store, fill a folder with what it holds, look at that. Parts of
// store_copy.cc and store_restore.cc.
//
// `path` is that of the store which is copied, for the errors.
namespace statecpp {

absl::StatusOr<StoreFolder> Hold(const std::string& path,
                                 const CopyOptions& options);

// Finds damage before this process follows it.
enum class Look {
  kStructures,  // records are opened when they are copied
  kEverything,
};
absl::Status LookFirst(const std::string& path, const CopyOptions& options,
                       Look look);

struct Room {
  uint64_t have;
  uint64_t need;
};
// On the disk where `target` will be.
absl::StatusOr<Room> CheckRoom(const std::string& path,
                               const ClosedStore& store,
                               const std::string& target);

// The header of the store that is made, where it is another.
using NewHeader = std::optional<std::string>;

// Fills the folder and returns what was read for it, which is what the store
// has by its accumulator.
absl::StatusOr<CopySums> WriteCopy(const std::string& path,
                                   const ClosedStore& source,
                                   const std::string& folder,
                                   const NewHeader& header,
                                   const CopyOptions& options,
                                   const Secret& content_key, const Room& room);

// Opens what was written anew, and compares.
absl::Status CheckCopy(const std::string& path, const std::string& folder,
                       const CopyOptions& options, const Secret& content_key,
                       const CopySums& expected);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_CHECKED_COPY_H_
