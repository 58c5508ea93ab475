// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_OVERLAY_H_
#define STATECPP_ENGINE_OVERLAY_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/accumulator.h"
#include "engine/changed_keys.h"
#include "engine/lmdb_environment.h"
#include "engine/storage.h"

namespace statecpp {

inline LmdbEnvironment::Table TableOf(Space space) {
  return space == Space::kRecords ? LmdbEnvironment::Table::kRecords
                                  : LmdbEnvironment::Table::kExpiry;
}

// What the batches of a group that held so far change, on top of the file:
//
//   Overlay overlay;
//   for (const Batch* batch : group) {
//     absl::StatusOr<Verdict> verdict = overlay.Judge(txn, *batch);
//     if (verdict says committed) overlay.Add(*batch);
//   }
//   absl::Status written = overlay.WriteOut(txn, accumulator);
//
// Has views into the batches. One thread.
class Overlay {
 public:
  // Committed or conflict. An error is of the transaction.
  absl::StatusOr<Verdict> Judge(const LmdbEnvironment::WriteTransaction& txn,
                                const Batch& batch) const;

  void Add(const Batch& batch);

  bool empty() const { return values_.empty(); }
  bool HasPuts() const;
  // Pages that WriteOut takes, at most.
  uint64_t PagesFor(uint64_t page_size) const;

  // Writes the last change of each key, in key order, and brings the
  // accumulator up to date with what is replaced. An error is of the
  // transaction.
  absl::Status WriteOut(LmdbEnvironment::WriteTransaction& txn,
                        Accumulator& accumulator) const;

  // Notes each key that WriteOut writes.
  void NoteChanges(ChangedKeys& changed) const;

 private:
  absl::StatusOr<std::optional<absl::string_view>> Current(
      const LmdbEnvironment::WriteTransaction& txn, const Change& change) const;

  // By place; nullopt stands for a delete.
  absl::btree_map<std::pair<Space, absl::string_view>,
                  std::optional<absl::string_view>>
      values_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_OVERLAY_H_
