// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_RECORD_SCAN_H_
#define STATECPP_ENGINE_RECORD_SCAN_H_

#include <functional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/current_keyring.h"
#include "engine/record.h"

namespace statecpp {

// A walk over the records of a range, in the order of their record keys, which
// says nothing about the order of the users' keys.
//
//   RecordScan scan(look, range);
//   while (!scan.done()) {
//     absl::Status status = scan.NextSlice([&](const auto& entry) { ... });
//     if (!status.ok()) return status;
//   }
//
// Each slice is a snapshot of its own, of 4,096 records or 20 ms at most: one
// snapshot over a large store would keep writers from using freed space again
// for as long as the walk takes. So the walk is not one moment. A record that
// is there from its first slice to its last is visited exactly once, however
// often it is written; one that comes or goes meanwhile, once or not at all.
//
// One thread at a time.
class RecordScan {
 public:
  using Look = std::function<absl::StatusOr<KeyedSnapshot>()>;

  // Lives as long as the call that gets it.
  struct Entry {
    absl::string_view record_key;
    absl::string_view record;
    // DATA_LOSS: the record is damaged.
    const absl::StatusOr<RecordReader>& reader;
  };

  // Of the records whose record keys begin with `range`, those behind the
  // record key `after`.
  RecordScan(Look look, std::string range, absl::string_view after = "");

  // True when the end of the range was reached.
  bool done() const { return done_; }

  // Visits the next records until `visit` returns false or the slice is full;
  // the next slice begins behind the last one visited.
  absl::Status NextSlice(absl::FunctionRef<bool(const Entry&)> visit);

 private:
  const Look look_;
  const std::string range_;
  std::string from_;
  bool done_ = false;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_RECORD_SCAN_H_
