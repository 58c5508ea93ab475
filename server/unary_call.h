// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_UNARY_CALL_H_
#define STATECPP_SERVER_UNARY_CALL_H_

#include <grpc/support/time.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/instance_name.h"
#include "api/status.h"
#include "engine/write.h"
#include "server/call_log.h"
#include "server/call_meter.h"
#include "server/calls_in_hand.h"
#include "server/rpc_loop.h"

namespace statecpp {

// The bytes of a message, or of one that was not taken apart.
inline size_t BytesOf(const grpc::ByteBuffer& buffer) {
  return buffer.Length();
}
template <typename Message>
size_t BytesOf(const Message& message) {
  return message.ByteSizeLong();
}

// One rpc in hand, as its handler sees it: the request, the place for the
// reply, and Finish.
//
//   void Ping(Rpc<PingRequest, PingResponse>& rpc) {
//     rpc.Finish(absl::OkStatus());
//   }
//
// It lives until Finish; a handler that answers later keeps the reference and
// nothing else. One thread at a time.
template <typename Request, typename Response>
class Rpc {
 public:
  // There until Finish.
  Request& request() { return *request_; }
  Response& response() { return *response_; }

  CallMeter& meter() { return meter_; }

  // Which component instance the call is for; daprd sends it with every call.
  // A view into the call.
  absl::string_view instance() const {
    const auto& metadata = context_.client_metadata();
    const auto found = metadata.find("x-component-instance");
    if (found == metadata.end()) return "";
    return {found->second.data(), found->second.size()};
  }

  // Until when, and whether at all, the caller waits; `timeout` is ours.
  CallBounds Bounds(absl::Duration timeout) {
    const auto now = std::chrono::steady_clock::now();
    // Not context_.deadline(), which is of the wall clock: where that jumps, a
    // call would be over before it began.
    const gpr_timespec left = gpr_time_sub(
        gpr_convert_clock_type(context_.raw_deadline(), GPR_CLOCK_MONOTONIC),
        gpr_now(GPR_CLOCK_MONOTONIC));
    const bool never = gpr_time_cmp(left, gpr_inf_future(GPR_TIMESPAN)) == 0;
    const absl::Duration bound =
        never ? timeout
              : std::min(timeout, absl::Seconds(left.tv_sec) +
                                      absl::Nanoseconds(left.tv_nsec));
    return {.deadline = now + absl::ToChronoNanoseconds(bound),
            .cancelled = &cancelled_,
            .times = meter_.times()};
  }

  // Sends the reply, or the error instead of it. From any thread, once.
  void Finish(const absl::Status& status) {
    meter_.Answer(status);
    // Not as a const copy, which a task could only hold in memory of its own.
    loop_.Post([this, status = absl::Status(status)] {
      Send(GrpcStatusFrom(status));
    });
  }

  // The same for an error of a protocol other than Dapr's, sent as it is.
  void FinishWith(const grpc::Status& status) {
    loop_.Post([this, status] { Send(status); });
  }

 protected:
  explicit Rpc(RpcLoop& loop) : loop_(loop) {}
  ~Rpc() = default;

  virtual void Send(const grpc::Status& status) = 0;

  // The reply goes out. Before it does, so that who has it finds it counted.
  void EndMeter() {
    if (!meter_.End()) return;
    std::string trace = SentWithCall("traceparent");
    if (trace.empty()) {
      trace = TraceParentFromBinary(SentWithCall("grpc-trace-bin"));
    }
    meter_.Report(InstanceName(instance()),
                  trace.empty() ? meter_.trace_parent() : trace);
  }

  RpcLoop& loop_;
  grpc::ServerContext context_;
  std::optional<Request> request_{std::in_place};
  std::optional<Response> response_{std::in_place};
  std::atomic<bool> cancelled_ = false;
  CallMeter meter_;

 private:
  std::string SentWithCall(const char* name) const {
    const auto& metadata = context_.client_metadata();
    const auto found = metadata.find(name);
    if (found == metadata.end()) return "";
    return std::string(found->second.data(), found->second.size());
  }
};

// The life of a call, the same for every rpc:
//
//   asked for -> arrived -> (handler) -> answered and done -> deleted
//
// When it arrives it asks for the next one, and is answered at once where the
// loop has no room for it (CallsInHand). It is deleted when gRPC has both sent
// the reply and said that the call is over, in either order. Arm is called on
// the loop's thread, and so is the handler.
template <typename Request, typename Response>
class UnaryCall final : public Rpc<Request, Response>,
                        private CallsInHand::Call {
 public:
  using Writer = grpc::ServerAsyncResponseWriter<Response>;
  // How a generated service is asked for a call.
  using Asker = std::function<void(grpc::ServerContext*, Request*, Writer*,
                                   grpc::ServerCompletionQueue*, void*)>;
  using Handler = std::function<void(Rpc<Request, Response>&)>;

  struct Method {
    Asker ask;
    Handler handle;
    // Answered however much there is in hand.
    bool always = false;
  };

  static void Arm(RpcLoop& loop, Method method) {
    new UnaryCall(loop, std::make_shared<const Method>(std::move(method)));
  }

 private:
  enum class Kind { kArrived, kSent, kOver };

  class Step final : public RpcLoop::Event {
   public:
    Step(UnaryCall& call, Kind kind) : call_(call), kind_(kind) {}
    void Proceed(bool ok) override { call_.Proceed(kind_, ok); }

   private:
    UnaryCall& call_;
    const Kind kind_;
  };

  UnaryCall(RpcLoop& loop, std::shared_ptr<const Method> method)
      : Rpc<Request, Response>(loop),
        method_(std::move(method)),
        writer_(&this->context_) {
    this->loop_.CountIn();
    this->context_.AsyncNotifyWhenDone(Tag(over_));
    method_->ask(&this->context_, &*this->request_, &writer_,
                 this->loop_.queue(), Tag(arrived_));
  }
  ~UnaryCall() {
    this->loop_.calls_in_hand().LetGo(*this);
    this->loop_.CountOut();
  }

  static void* Tag(Step& step) { return static_cast<RpcLoop::Event*>(&step); }

  void Proceed(Kind kind, bool ok) {
    switch (kind) {
      case Kind::kArrived:
        if (!ok) {  // the server shuts down; nothing else comes for this call
          delete this;
          return;
        }
        this->meter_.Arrive();
        new UnaryCall(this->loop_, method_);
        if (absl::Status room = TakeUp(); !room.ok()) {
          return Send(GrpcStatusFrom(room));
        }
        method_->handle(*this);
        return;
      case Kind::kOver:
        if (this->context_.IsCancelled()) this->cancelled_ = true;
        [[fallthrough]];
      case Kind::kSent:
        if (--pending_ == 0) delete this;
    }
  }

  absl::Status TakeUp() {
    if (method_->always) return absl::OkStatus();
    return this->loop_.calls_in_hand().TakeUp(*this, BytesOf(*this->request_));
  }

  void Send(const grpc::Status& status) override {
    const absl::Status room = this->loop_.calls_in_hand().Answer(
        *this, status.ok() ? BytesOf(*this->response_) : 0);
    if (!room.ok()) this->meter_.Refuse();
    this->EndMeter();
    if (!room.ok()) {
      writer_.FinishWithError(GrpcStatusFrom(room), Tag(sent_));
    } else if (status.ok()) {
      writer_.Finish(*this->response_, status, Tag(sent_));
    } else {
      writer_.FinishWithError(status, Tag(sent_));
    }
    // gRPC has copies of its own by now, and they may wait for long.
    this->request_.reset();
    this->response_.reset();
  }

  // Its end comes as of any other call.
  void GiveUp() override { this->context_.TryCancel(); }

  const std::shared_ptr<const Method> method_;
  Writer writer_;
  Step arrived_{*this, Kind::kArrived};
  Step sent_{*this, Kind::kSent};
  Step over_{*this, Kind::kOver};
  int pending_ = 2;
};

// The method of a generated asynchronous service: `ask` is a pointer to its
// RequestX. Pass the result to UnaryCall::Arm.
template <typename Service, typename Base, typename Request, typename Response>
typename UnaryCall<Request, Response>::Method MethodOf(
    Service& service,
    void (Base::*ask)(grpc::ServerContext*, Request*,
                      grpc::ServerAsyncResponseWriter<Response>*,
                      grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                      void*),
    std::type_identity_t<std::function<void(Rpc<Request, Response>&)>> handle) {
  return {[&service, ask](grpc::ServerContext* context, Request* request,
                          grpc::ServerAsyncResponseWriter<Response>* writer,
                          grpc::ServerCompletionQueue* queue, void* tag) {
            (service.*ask)(context, request, writer, queue, queue, tag);
          },
          std::move(handle), /*always=*/false};
}

}  // namespace statecpp

#endif  // STATECPP_SERVER_UNARY_CALL_H_
