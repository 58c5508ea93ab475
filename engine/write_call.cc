// SPDX-License-Identifier: Apache-2.0
#include "engine/write_call.h"

#include <utility>

#include "engine/errors.h"

namespace statecpp {
namespace {

// Each further attempt means that someone else's write of the key went through
// and left the precondition intact; this many in a row is not bad luck.
constexpr int kMaxAttempts = 64;

}  // namespace

WriteCall::WriteCall(const Storage& storage, const CurrentKeyring& keyring,
                     CommitQueue& queue, TrustedTime& time, WritePlan plan,
                     CallBounds bounds, Done done)
    : storage_(storage),
      keyring_(keyring),
      queue_(queue),
      time_(time),
      plan_(std::move(plan)),
      bounds_(bounds),
      done_(std::move(done)) {}

void WriteCall::Start(const Storage& storage, const CurrentKeyring& keyring,
                      CommitQueue& queue, TrustedTime& time, WritePlan plan,
                      CallBounds bounds, Done done) {
  Attempt(std::unique_ptr<WriteCall>(new WriteCall(storage, keyring, queue,
                                                   time, std::move(plan),
                                                   bounds, std::move(done))));
}

void WriteCall::Attempt(std::unique_ptr<WriteCall> call) {
  ++call->attempts_;
  if (absl::Status decided = call->Decide(); !decided.ok()) {
    call->done_(std::move(decided));
    return;
  }
  WriteCall& self = *call;
  self.queue_.Submit(self.plan_.batch(), self.bounds_,
                     [call = std::move(call)](Verdict verdict) mutable {
                       Receive(std::move(call), std::move(verdict));
                     });
}

absl::Status WriteCall::Decide() {
  if (!plan_.IsConditional()) return absl::OkStatus();
  if (absl::Status health = queue_.health(); !health.ok()) return health;
  const absl::StatusOr<KeyedSnapshot> view = keyring_.Read(storage_);
  if (!view.ok()) return view.status();
  return plan_.Decide(*view, time_.ForVisibility());
}

void WriteCall::Receive(std::unique_ptr<WriteCall> call, Verdict verdict) {
  switch (verdict.outcome) {
    case Verdict::Outcome::kCommitted:
      call->done_(call->plan_.ETags());
      return;
    case Verdict::Outcome::kConflict:
      if (call->attempts_ == kMaxAttempts) {
        call->done_(error::TooMuchContention(
            call->plan_.KeyOfChange(verdict.conflict), kMaxAttempts));
        return;
      }
      Attempt(std::move(call));
      return;
    case Verdict::Outcome::kRefused:
    case Verdict::Outcome::kUnknown:
      call->done_(std::move(verdict.status));
      return;
  }
}

}  // namespace statecpp
