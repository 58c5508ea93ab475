// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_CALL_LOG_H_
#define STATECPP_SERVER_CALL_LOG_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/worker_pool.h"

namespace statecpp {

// A call that took long, and where. Times in nanoseconds; together the phases
// are the whole.
struct SlowCall {
  std::string component;
  const char* operation;
  const char* result;
  size_t items;
  uint64_t value_bytes;
  std::string trace_id;  // hex; empty: none came with it
  int64_t duration;
  int64_t wait = 0;    // for a worker thread
  int64_t decide = 0;  // reading, opening, sealing: all that is done for it
  int64_t queue = 0;   // for the commit before its own to end
  int64_t commit = 0;  // with its sync
  int64_t reply = 0;   // until the reply goes out
};

// A call that met a fault of ours: damage, most of all.
struct FailedCall {
  std::string component;
  const char* operation;
  std::string reason;    // never with a key in it
  std::string trace_id;  // hex; empty: none came with it
};

// The trace id in a W3C traceparent, "00-<32 hex digits>-<16>-<2>"; empty where
// the text is none, or where all digits are 0. What a caller sends is written
// to the log only if it is no more than that.
std::string TraceIdOf(absl::string_view trace_parent);

// A traceparent from the binary form that gRPC has for it ("grpc-trace-bin");
// empty where the bytes are none.
std::string TraceParentFromBinary(absl::string_view bytes);

// Writes a line for each call that took at least so long, and one for each that
// met a fault of ours, but no more than ten of a kind in a second: the line
// that follows says how many it stands for. By one of the workers, since
// whoever reads the log may be slow himself.
//
// Never a key or a value. Thread-safe.
class CallLog {
 public:
  static constexpr int kLinesPerSecond = 10;

  // A threshold of zero: no call is slow. `workers` outlives this.
  CallLog(absl::Duration threshold, WorkerPool& workers)
      : threshold_(absl::ToInt64Nanoseconds(threshold)), workers_(workers) {}

  bool IsSlow(int64_t nanoseconds) const {
    return threshold_ > 0 && nanoseconds >= threshold_;
  }

  void Add(SlowCall call);
  void Add(FailedCall call);

 private:
  // The lines of one kind.
  class Lines {
   public:
    // How many calls were left out since the last line; nullopt: so is this.
    std::optional<uint64_t> Take() ABSL_LOCKS_EXCLUDED(mutex_);

   private:
    absl::Mutex mutex_;
    int64_t second_ ABSL_GUARDED_BY(mutex_) = 0;
    int taken_ ABSL_GUARDED_BY(mutex_) = 0;
    uint64_t left_out_ ABSL_GUARDED_BY(mutex_) = 0;
  };

  const int64_t threshold_;
  WorkerPool& workers_;
  Lines slow_;
  Lines failed_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_CALL_LOG_H_
