// SPDX-License-Identifier: Apache-2.0
#include "server/calls_in_hand.h"

#include "server/errors.h"

namespace statecpp {
namespace {

constexpr size_t kAlwaysSent = 4 << 10;

}  // namespace

absl::Status CallsInHand::TakeUp(Call& call, size_t request_bytes) {
  if (calls_ >= limits_.calls) {
    return Refuse(error::TooManyCalls(limits_.calls));
  }
  if (request_bytes > limits_.bytes - bytes_) {
    return Refuse(error::TooManyBytesInHand(bytes_, limits_.bytes));
  }
  call.taken_up_ = true;
  call.bytes_ = request_bytes;
  ++calls_;
  bytes_ += request_bytes;
  return absl::OkStatus();
}

absl::Status CallsInHand::Answer(Call& call, size_t reply_bytes) {
  if (!call.taken_up_) return absl::OkStatus();
  // What was asked for is done, or copied where it waits to be done.
  bytes_ -= call.bytes_;
  call.bytes_ = 0;
  call.answered_at_ = now_;
  call.before_ = newest_;
  (newest_ == nullptr ? oldest_ : newest_->after_) = &call;
  newest_ = &call;
  if (reply_bytes <= kAlwaysSent) return absl::OkStatus();
  if (reply_bytes > limits_.bytes - bytes_) {
    return error::TooManyUnreadReplies(bytes_, limits_.bytes);
  }
  call.bytes_ = reply_bytes;
  bytes_ += reply_bytes;
  return absl::OkStatus();
}

void CallsInHand::LetGo(Call& call) {
  if (!call.taken_up_) return;
  call.taken_up_ = false;
  --calls_;
  bytes_ -= call.bytes_;
  if (oldest_ == &call) oldest_ = call.after_;
  if (newest_ == &call) newest_ = call.before_;
  if (call.before_ != nullptr) call.before_->after_ = call.after_;
  if (call.after_ != nullptr) call.after_->before_ = call.before_;
}

void CallsInHand::Tick() {
  ++now_;
  // GiveUp does not end a call at once, so the list stays as it is.
  for (Call* call = oldest_; call != nullptr; call = call->after_) {
    if (now_ - call->answered_at_ < limits_.ticks) return;
    call->GiveUp();
  }
}

}  // namespace statecpp
