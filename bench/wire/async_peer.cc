// SPDX-License-Identifier: Apache-2.0
//
// TinyStore behind gRPC's asynchronous API: one completion queue, one thread
// that polls it and answers each call where it finds it.

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "bench/wire/peer.h"
#include "dapr/proto/components/v1/state.grpc.pb.h"

namespace statecpp::wire {
namespace {

using Service = proto::StateStore::AsyncService;

// How many calls of one rpc may be under way before gRPC queues them.
constexpr int kCallsPerRpc = 64;

class Call;

// What the completion queue hands back: which call, and what happened to it.
struct Event {
  enum Kind { kRequested, kFinished, kDone };
  Call* call;
  Kind kind;
};

// The life of a call, the same for every rpc: requested, answered, requested
// anew.
class Call {
 public:
  virtual ~Call() = default;

  // Takes the call one step on. False if it was the last one.
  bool Proceed(Event::Kind kind, bool ok) {
    switch (kind) {
      case Event::kRequested:
        // The server shuts down; gRPC reports no kDone for such a call.
        if (!ok) return false;
        pending_ = notify_ ? 2 : 1;
        Answer(&finished_);
        return true;
      case Event::kDone:
        cancelled_ += context_->IsCancelled();
        [[fallthrough]];
      case Event::kFinished:
        if (--pending_ == 0) Arm();
    }
    return true;
  }

  void Arm() {
    context_.emplace();
    if (notify_) context_->AsyncNotifyWhenDone(&done_);
    Request(&*context_, &requested_);
  }

 protected:
  explicit Call(bool notify) : notify_(notify) {}

 private:
  // Asks for the next call of this rpc.
  virtual void Request(grpc::ServerContext* context, void* tag) = 0;
  // Answers the call that came.
  virtual void Answer(void* tag) = 0;

  const bool notify_;
  Event requested_ = {this, Event::kRequested};
  Event finished_ = {this, Event::kFinished};
  Event done_ = {this, Event::kDone};
  // Events to come before the call is over.
  int pending_ = 0;
  // Read by nobody; stands for what a server would do with the news.
  int64_t cancelled_ = 0;
  std::optional<grpc::ServerContext> context_;
};

// One rpc: its types, how gRPC is asked for a call, and who answers it.
template <class In, class Out>
class UnaryCall final : public Call {
 public:
  using Writer = grpc::ServerAsyncResponseWriter<Out>;
  using Requester = void (Service::*)(grpc::ServerContext*, In*, Writer*,
                                      grpc::CompletionQueue*,
                                      grpc::ServerCompletionQueue*, void*);
  using Handler = grpc::Status (TinyStore::*)(const In&, Out*);

  UnaryCall(bool notify, Service* service, grpc::ServerCompletionQueue* queue,
            Requester requester, TinyStore* store, Handler handler)
      : Call(notify),
        service_(service),
        queue_(queue),
        requester_(requester),
        store_(store),
        handler_(handler) {}

 private:
  void Request(grpc::ServerContext* context, void* tag) override {
    in_.Clear();
    out_.Clear();
    writer_.emplace(context);
    (service_->*requester_)(context, &in_, &*writer_, queue_, queue_, tag);
  }

  void Answer(void* tag) override {
    const grpc::Status status =
        handler_ == nullptr ? grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "")
                            : (store_->*handler_)(in_, &out_);
    writer_->Finish(out_, status, tag);
  }

  Service* const service_;
  grpc::ServerCompletionQueue* const queue_;
  const Requester requester_;
  TinyStore* const store_;
  // Null: the rpc is not implemented.
  const Handler handler_;
  In in_;
  Out out_;
  std::optional<Writer> writer_;
};

class AsyncPeer {
 public:
  explicit AsyncPeer(const PeerFlags& flags)
      : flags_(flags), queue_(builder_.AddCompletionQueue()) {
    builder_.RegisterService(&service_);
  }

  void Serve() {
    std::thread poller;
    const std::unique_ptr<grpc::Server> server =
        ServeUntilSignalled(builder_, flags_, [this, &poller] {
          AddAll();
          poller = std::thread([this] { Poll(); });
        });
    poller.join();
    queue_->Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) {
    }
  }

 private:
  void AddAll() {
    Add(&Service::RequestInit, &TinyStore::Init);
    Add(&Service::RequestFeatures, &TinyStore::Features);
    Add(&Service::RequestPing, &TinyStore::Ping);
    Add(&Service::RequestGet, &TinyStore::Get);
    Add(&Service::RequestSet, &TinyStore::Set);
    Add(&Service::RequestDelete);
    Add(&Service::RequestBulkDelete);
    Add(&Service::RequestBulkGet);
    Add(&Service::RequestBulkSet, &TinyStore::BulkSet);
  }

  // `Base` is the base class of Service that declares the rpc.
  template <class Base, class In, class Out>
  void Add(void (Base::*requester)(grpc::ServerContext*, In*,
                                   grpc::ServerAsyncResponseWriter<Out>*,
                                   grpc::CompletionQueue*,
                                   grpc::ServerCompletionQueue*, void*),
           grpc::Status (TinyStore::*handler)(const std::type_identity_t<In>&,
                                              std::type_identity_t<Out>*) =
               nullptr) {
    for (int i = 0; i < kCallsPerRpc; ++i) {
      calls_.push_back(std::make_unique<UnaryCall<In, Out>>(
          flags_.notify_when_done, &service_, queue_.get(), requester, &store_,
          handler));
      calls_.back()->Arm();
    }
  }

  // Ends when the server, shut down, has handed back every request.
  void Poll() {
    size_t live = calls_.size();
    void* tag = nullptr;
    bool ok = false;
    while (live > 0 && queue_->Next(&tag, &ok)) {
      const Event* event = static_cast<Event*>(tag);
      if (!event->call->Proceed(event->kind, ok)) --live;
    }
  }

  const PeerFlags flags_;
  TinyStore store_;
  Service service_;
  grpc::ServerBuilder builder_;
  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::vector<std::unique_ptr<Call>> calls_;
};

int Main(int argc, char** argv) {
  AsyncPeer(ParseFlags(argc, argv)).Serve();
  return 0;
}

}  // namespace
}  // namespace statecpp::wire

int main(int argc, char** argv) { return statecpp::wire::Main(argc, argv); }
