// SPDX-License-Identifier: Apache-2.0
#include "bench/wire/call_slot.h"

#include <optional>
#include <utility>

namespace statecpp::wire {
namespace {

std::string AnyKey(const CallShape& shape, BenchRandom& random) {
  return BenchKey(UniformChooser(shape.keys).Next(random));
}

void Fill(const CallShape&, BenchRandom&, proto::PingRequest*) {}

void Fill(const CallShape& shape, BenchRandom& random,
          proto::GetRequest* request) {
  request->set_key(AnyKey(shape, random));
}

void Fill(const CallShape& shape, BenchRandom& random,
          proto::SetRequest* request) {
  request->set_key(AnyKey(shape, random));
  request->mutable_value()->assign(shape.value_bytes, 'v');
}

void Fill(const CallShape& shape, BenchRandom& random,
          proto::BulkGetRequest* request) {
  request->clear_items();
  for (int i = 0; i < shape.batch; ++i) {
    Fill(shape, random, request->add_items());
  }
}

void Fill(const CallShape& shape, BenchRandom& random,
          proto::TransactionalStateRequest* request) {
  request->clear_operations();
  for (int i = 0; i < shape.batch; ++i) {
    Fill(shape, random, request->add_operations()->mutable_set());
  }
}

}  // namespace

void NameInstance(const CallShape& shape, grpc::ClientContext& context) {
  if (shape.instance.empty()) return;
  context.AddMetadata("x-component-instance", shape.instance);
}

class CallSlot::Call {
 public:
  virtual ~Call() = default;
  virtual void Begin(BenchRandom& random) = 0;
  const grpc::Status& status() const { return status_; }

 protected:
  grpc::Status status_;
};

template <class Stub, class In, class Out>
class CallSlot::UnaryCall final : public CallSlot::Call {
 public:
  using Reader = std::unique_ptr<grpc::ClientAsyncResponseReader<Out>>;
  using Starter = Reader (Stub::*)(grpc::ClientContext*, const In&,
                                   grpc::CompletionQueue*);

  UnaryCall(CallSlot& slot, Stub& stub, Starter starter)
      : slot_(slot), stub_(stub), starter_(starter) {}

  void Begin(BenchRandom& random) override {
    reader_.reset();
    context_.emplace();
    NameInstance(slot_.shape_, *context_);
    Fill(slot_.shape_, random, &in_);
    out_.Clear();
    reader_ = (stub_.*starter_)(&*context_, in_, &slot_.queue_);
    reader_->Finish(&out_, &status_, &slot_);
  }

 private:
  CallSlot& slot_;
  Stub& stub_;
  const Starter starter_;
  std::optional<grpc::ClientContext> context_;
  In in_;
  Out out_;
  Reader reader_;
};

CallSlot::CallSlot(const CallShape& shape,
                   const std::shared_ptr<grpc::Channel>& channel,
                   grpc::CompletionQueue& queue)
    : shape_(shape),
      queue_(queue),
      store_(proto::StateStore::NewStub(channel)),
      transactional_(proto::TransactionalStateStore::NewStub(channel)) {}

CallSlot::~CallSlot() = default;

void CallSlot::Begin(Operation operation, BenchRandom& random,
                     std::chrono::steady_clock::time_point since) {
  operation_ = operation;
  since_ = since;
  std::unique_ptr<Call>& call = calls_[static_cast<size_t>(operation)];
  if (call == nullptr) call = NewCall(operation);
  call->Begin(random);
}

const grpc::Status& CallSlot::status() const {
  return calls_[static_cast<size_t>(operation_)]->status();
}

std::unique_ptr<CallSlot::Call> CallSlot::NewCall(Operation operation) {
  using Store = proto::StateStore::Stub;
  using Transactional = proto::TransactionalStateStore::Stub;
  switch (operation) {
    case Operation::kPing:
      return std::make_unique<
          UnaryCall<Store, proto::PingRequest, proto::PingResponse>>(
          *this, *store_, &Store::AsyncPing);
    case Operation::kGet:
      return std::make_unique<
          UnaryCall<Store, proto::GetRequest, proto::GetResponse>>(
          *this, *store_, &Store::AsyncGet);
    case Operation::kSet:
      return std::make_unique<
          UnaryCall<Store, proto::SetRequest, proto::SetResponse>>(
          *this, *store_, &Store::AsyncSet);
    case Operation::kBulkGet:
      return std::make_unique<
          UnaryCall<Store, proto::BulkGetRequest, proto::BulkGetResponse>>(
          *this, *store_, &Store::AsyncBulkGet);
    case Operation::kTransact:
      return std::make_unique<
          UnaryCall<Transactional, proto::TransactionalStateRequest,
                    proto::TransactionalStateResponse>>(
          *this, *transactional_, &Transactional::AsyncTransact);
  }
  return nullptr;
}

}  // namespace statecpp::wire
