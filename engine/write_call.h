// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_WRITE_CALL_H_
#define STATECPP_ENGINE_WRITE_CALL_H_

#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/commit_queue.h"
#include "engine/current_keyring.h"
#include "engine/storage.h"
#include "engine/trusted_time.h"
#include "engine/write.h"
#include "engine/write_plan.h"

namespace statecpp {

// Carries one plan to its verdict: decide, commit, and where the commit found
// something else than was decided upon, decide again. Owns itself from Start to
// its answer, since nobody waits for it on a stack.
class WriteCall {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::vector<ETag>>)>;

  // `done` is called once, on this thread or the commit thread, with what
  // Store's writes return. All references outlive the call.
  static void Start(const Storage& storage, const CurrentKeyring& keyring,
                    CommitQueue& queue, TrustedTime& time, WritePlan plan,
                    CallBounds bounds, Done done);

 private:
  WriteCall(const Storage& storage, const CurrentKeyring& keyring,
            CommitQueue& queue, TrustedTime& time, WritePlan plan,
            CallBounds bounds, Done done);

  static void Attempt(std::unique_ptr<WriteCall> call);
  static void Receive(std::unique_ptr<WriteCall> call, Verdict verdict);
  absl::Status Decide();

  const Storage& storage_;
  const CurrentKeyring& keyring_;
  CommitQueue& queue_;
  TrustedTime& time_;
  WritePlan plan_;
  const CallBounds bounds_;
  Done done_;
  int attempts_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_WRITE_CALL_H_
