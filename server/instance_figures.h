// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_INSTANCE_FIGURES_H_
#define STATECPP_SERVER_INSTANCE_FIGURES_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "engine/distribution.h"

namespace statecpp {

// What is counted of the calls to one component instance: by operation, in
// Dapr's own names, and by what came of it.
//
// A call finds its instance anyway, and with it these; there is no name to look
// up and no lock to take. Whoever wants to see them takes a reading
// (metrics.h).
enum class Operation {
  kGet,
  kSet,
  kDelete,
  kBulkGet,
  kBulkSet,
  kBulkDelete,
  kTransaction,
  kQuery,
};
inline constexpr std::array<const char*, 8> kOperationNames = {
    "get",      "set",         "delete",      "bulk_get",
    "bulk_set", "bulk_delete", "transaction", "query"};

// What came of a call.
enum class Result {
  kOk,
  kMiss,          // a Get of what is not there
  kEtagMismatch,  // malformed ETags among them
  kInvalid,       // the request can never succeed
  kTooLarge,
  kFull,         // the store, or its disk
  kUnavailable,  // may succeed later: no key, too many calls
  kTimeout,      // or the caller left
  kError,        // damage, and whatever else
};
inline constexpr std::array<const char*, 9> kResultNames = {
    "ok",   "miss",        "etag_mismatch", "invalid", "too_large",
    "full", "unavailable", "timeout",       "error"};

// Of a call that ended with that; never kMiss.
Result ResultOf(const absl::Status& status);

struct OperationFigures {
  std::array<std::atomic<uint64_t>, kResultNames.size()> results = {};
  Distribution duration{kTimeBounds};
  Distribution items{kCountBounds};
  Distribution value_bytes{kByteBounds};
};

struct InstanceFigures {
  OperationFigures& Of(Operation operation) {
    return operations[static_cast<size_t>(operation)];
  }

  std::array<OperationFigures, kOperationNames.size()> operations = {};
  std::atomic<int64_t> calls_in_flight = 0;
  // Records that did not open, each time that somebody came for one.
  std::atomic<uint64_t> damaged = 0;
  // By queries that were answered.
  std::atomic<uint64_t> query_scanned = 0;
  std::atomic<uint64_t> query_returned = 0;
};

// Whether an operation is about several items, and whether with values.
constexpr bool HasItems(Operation operation) {
  return operation >= Operation::kBulkGet;
}
constexpr bool HasValues(Operation operation) {
  return operation != Operation::kDelete && operation != Operation::kBulkDelete;
}

// Of calls that came to no instance. For the loop's thread and others.
struct ServerFigures {
  std::atomic<uint64_t> refused_for_room = 0;
  std::atomic<uint64_t> refused_without_instance = 0;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_INSTANCE_FIGURES_H_
