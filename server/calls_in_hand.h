// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_CALLS_IN_HAND_H_
#define STATECPP_SERVER_CALLS_IN_HAND_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

namespace statecpp {

// What the calls in hand take together, and how much they may: from the moment
// at which a request is there until the client has its reply.
//
//   if (absl::Status room = calls.TakeUp(call, request.size()); !room.ok()) …
//   ...
//   if (absl::Status room = calls.Answer(call, reply.size()); !room.ok()) …
//   ...
//   calls.LetGo(call);
//
// A client that does not read its replies keeps them in our memory. So a reply
// that nobody takes is given up after a while, and its call cancelled.
//
// For the loop's thread alone, so that it costs a call a few additions and
// neither a lock nor a look at the clock.
class CallsInHand {
 public:
  struct Limits {
    // With gRPC's part, 20 KiB each. A daprd has up to 1,024.
    int calls = 16'384;
    // Of requests and replies. More than the write queue holds, which refuses
    // with a better text.
    size_t bytes = size_t{512} << 20;
    // Ticks until an unread reply is given up.
    int ticks = 3;
  };

  // One of them. The call is let go of before it ends.
  class Call {
   public:
    Call() = default;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   protected:
    ~Call() = default;

   private:
    friend class CallsInHand;

    // The client has not read its reply; ends the call.
    virtual void GiveUp() = 0;

    bool taken_up_ = false;
    size_t bytes_ = 0;
    // Among those that were answered, in the order of their answers.
    Call* before_ = nullptr;
    Call* after_ = nullptr;
    int answered_at_ = 0;
  };

  explicit CallsInHand(const Limits& limits) : limits_(limits) {}

  // RESOURCE_EXHAUSTED, for 429: there are as many calls as may be, or they
  // have as many bytes. The call is not counted then, but may be answered.
  absl::Status TakeUp(Call& call, size_t request_bytes);

  // The reply is about to be sent. RESOURCE_EXHAUSTED, for 429: replies that
  // nobody has read leave no room for this one, and the call is to be answered
  // by the error instead. What is no larger than an error itself is always
  // sent.
  absl::Status Answer(Call& call, size_t reply_bytes);

  // The call is over.
  void LetGo(Call& call);

  // Comes at regular intervals: gives up what has waited for too many.
  void Tick();

  // Calls that were not taken up. For any thread.
  const std::atomic<uint64_t>& refused() const { return refused_; }

  int calls() const { return calls_; }
  size_t bytes() const { return bytes_; }

 private:
  absl::Status Refuse(absl::Status status) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return status;
  }

  const Limits limits_;
  std::atomic<uint64_t> refused_ = 0;
  int calls_ = 0;
  size_t bytes_ = 0;
  int now_ = 0;
  Call* oldest_ = nullptr;
  Call* newest_ = nullptr;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_CALLS_IN_HAND_H_
