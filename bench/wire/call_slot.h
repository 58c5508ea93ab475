// SPDX-License-Identifier: Apache-2.0
//
// One call under way, of any of the operations of a load.

#ifndef STATECPP_BENCH_WIRE_CALL_SLOT_H_
#define STATECPP_BENCH_WIRE_CALL_SLOT_H_

#include <grpcpp/grpcpp.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "bench/key_chooser.h"
#include "bench/wire/operation_mix.h"
#include "dapr/proto/components/v1/state.grpc.pb.h"

namespace statecpp::wire {

namespace proto = ::dapr::proto::components::v1;

// What calls ask for.
struct CallShape {
  int64_t keys = 1000;
  size_t value_bytes = 128;
  // Of a BulkGet, and of a transaction's Sets.
  int batch = 10;
  // Which component a call is for; empty: the server has but one.
  std::string instance;
};

// Names the instance as daprd does.
void NameInstance(const CallShape& shape, grpc::ClientContext& context);

// A place for one call. Reused for the next when it has ended; the queue hands
// back a pointer to it.
class CallSlot {
 public:
  // All of them outlive the slot.
  CallSlot(const CallShape& shape,
           const std::shared_ptr<grpc::Channel>& channel,
           grpc::CompletionQueue& queue);
  ~CallSlot();

  // Starts a call that counts from `since`.
  void Begin(Operation operation, BenchRandom& random,
             std::chrono::steady_clock::time_point since);

  const grpc::Status& status() const;
  Operation operation() const { return operation_; }
  std::chrono::steady_clock::time_point since() const { return since_; }

 private:
  class Call;
  template <class Stub, class In, class Out>
  class UnaryCall;

  std::unique_ptr<Call> NewCall(Operation operation);

  const CallShape& shape_;
  grpc::CompletionQueue& queue_;
  const std::unique_ptr<proto::StateStore::Stub> store_;
  const std::unique_ptr<proto::TransactionalStateStore::Stub> transactional_;
  // Made when they are first needed.
  std::array<std::unique_ptr<Call>, kOperationNames.size()> calls_;
  Operation operation_ = Operation::kPing;
  std::chrono::steady_clock::time_point since_;
};

}  // namespace statecpp::wire

#endif  // STATECPP_BENCH_WIRE_CALL_SLOT_H_
