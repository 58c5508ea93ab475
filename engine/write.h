// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_WRITE_H_
#define STATECPP_ENGINE_WRITE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "engine/etag.h"

namespace statecpp {

// What must be true of a key for a write to happen. An item that has expired
// counts as absent, whether or not it was swept.
struct Precondition {
  enum class Kind {
    kNone,    // always
    kMatch,   // the live item has the version `etag`
    kAbsent,  // there is no live item: Dapr's first-write without an ETag
  };

  static Precondition None() { return {}; }
  static Precondition Match(const ETag& etag) {
    return {Kind::kMatch, etag.ToString()};
  }
  // As text, for callers who got it from elsewhere: text that is no ETag
  // matches nothing, and the error says so.
  static Precondition MatchText(std::string etag) {
    return {Kind::kMatch, std::move(etag)};
  }
  static Precondition Absent() { return {Kind::kAbsent, ""}; }

  Kind kind = Kind::kNone;
  std::string etag = "";
};

// One write, of one key.
//
//   store.Set({.key = "a", .value = "1", .ttl = absl::Hours(1)});
struct WriteOp {
  enum class Kind { kSet, kDelete };

  Kind kind = Kind::kSet;
  // Any bytes but none: 1 byte to 64 KiB.
  std::string key = "";
  std::string value = "";
  std::string content_type = "";
  // From now on the wall clock; nullopt: never expires. A Set replaces the
  // former expiry in either case.
  std::optional<absl::Duration> ttl = std::nullopt;
  Precondition precondition = {};
};

// When a call came how far, for whoever asks why it was slow. Of several writes
// in one call, of the last one to get there. In nanoseconds of the steady
// clock; 0: it never did.
struct CallTimes {
  std::atomic<int64_t> submitted = 0;  // decided, and in line for a commit
  std::atomic<int64_t> taken = 0;      // by the commit thread
  std::atomic<int64_t> judged = 0;     // and durable, if it was to be written

  static int64_t Now() {
    return std::chrono::nanoseconds(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

// Bounds of one call, read last before its writes are judged: a write whose
// caller is gone by then is not applied. What was judged in time is applied,
// even if its caller leaves before the answer.
struct CallBounds {
  std::chrono::steady_clock::time_point deadline =
      std::chrono::steady_clock::time_point::max();
  // Set by the caller at any time; must live until the call is answered.
  const std::atomic<bool>* cancelled = nullptr;
  // Written to until the call is answered, if not null.
  CallTimes* times = nullptr;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_WRITE_H_
