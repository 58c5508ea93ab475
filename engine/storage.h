// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORAGE_H_
#define STATECPP_ENGINE_STORAGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace statecpp {

// The seam below Store: ordered bytes, snapshots of them, and conditional
// commits. Store reads a snapshot, decides what its caller asked for, and hands
// the decision over as a batch that holds or fails whole. Nothing below here
// knows an item, an ETag or a key; nothing above knows LMDB.
//
// LMDB is the one Storage today. The verbs are those that a replicated store
// has as well (compare a token, write, say so), which is why a commit compares
// bytes, opens no sealed record, and never calls back.

// Independent ordered maps of one Storage.
enum class Space : uint8_t { kRecords, kExpiry };

// What must stand at a key when its batch is judged.
struct Expectation {
  enum class Kind {
    kAny,
    kAbsent,
    kUnchanged,  // the record whose token (RecordToken) is `token`
  };

  static Expectation Any() { return {}; }
  static Expectation Absent() { return {Kind::kAbsent, ""}; }
  static Expectation Unchanged(absl::string_view token) {
    return {Kind::kUnchanged, std::string(token)};
  }

  Kind kind = Kind::kAny;
  std::string token = "";
};

struct Change {
  enum class Verb {
    kPut,
    kDelete,  // also where there is nothing
    kKeep,    // compare only
  };

  Space space = Space::kRecords;
  std::string key = "";
  Expectation expect = {};
  Verb verb = Verb::kKeep;
  std::string value = "";
};

// Changes of distinct keys, in any order, that hold or fail together.
using Batch = std::vector<Change>;

struct Verdict {
  enum class Outcome {
    kCommitted,  // durable and visible
    kConflict,   // an expectation failed; nothing of the batch was applied
    kRefused,    // surely not applied, for the reason in `status`
    kUnknown,    // the sync failed: applied or not, see `status`
  };

  Outcome outcome = Outcome::kCommitted;
  // Of a conflict: the index in the batch of the change whose expectation
  // failed. What stands there now is for a new snapshot to say.
  size_t conflict = 0;
  absl::Status status = absl::OkStatus();
};

// One moment of a Storage. Views it returns live as long as it does. Meant to
// be short: while one is held, space that writers free cannot be used again.
// One thread at a time.
class Snapshot {
 public:
  virtual ~Snapshot() = default;

  // nullopt: nothing at `key`.
  virtual absl::StatusOr<std::optional<absl::string_view>> Get(
      Space space, absl::string_view key) const = 0;

  // Calls `visit` with each key from `from` on, in order, until it returns
  // false or there are no more.
  virtual absl::Status Scan(
      Space space, absl::string_view from,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>
          visit) const = 0;
};

// Thread-safe, but for Commit, which one thread calls.
class Storage {
 public:
  virtual ~Storage() = default;

  // The state after the last commit that was acknowledged, or a later one.
  virtual absl::StatusOr<std::unique_ptr<Snapshot>> Read() const = 0;

  // Judges each batch in order against what the earlier ones of the group left,
  // and commits those that hold in one durable step. Returns one verdict per
  // batch: committed or conflict; or refused, where it was found on the way to
  // the disk that this is full.
  //
  // `confirmed_ms` is kept as the time that has passed for certain.
  //
  // RESOURCE_EXHAUSTED: the group does not fit; nothing was applied. Part of it
  //     may fit.
  // UNKNOWN: the sync failed. The caller may not use this Storage again.
  // Any other: nothing was applied.
  virtual absl::StatusOr<std::vector<Verdict>> Commit(
      absl::Span<const Batch* const> group, int64_t confirmed_ms) = 0;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORAGE_H_
