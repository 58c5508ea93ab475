// SPDX-License-Identifier: Apache-2.0
//
// TinyStore behind the server's own loop and calls: what a Get would cost if it
// cost nothing to find the bytes.

#include <memory>

#include "bench/wire/peer.h"
#include "dapr/proto/components/v1/state.grpc.pb.h"
#include "server/rpc_loop.h"
#include "server/unary_call.h"

namespace statecpp::wire {
namespace {

using Service = proto::StateStore::AsyncService;

class SameBytesPeer {
 public:
  explicit SameBytesPeer(const PeerFlags& flags)
      : flags_(flags), loop_(builder_.AddCompletionQueue()) {
    builder_.RegisterService(&service_);
  }

  void Serve() {
    const std::unique_ptr<grpc::Server> server = ServeUntilSignalled(
        builder_, flags_, [this] { loop_.Start([this] { ArmAll(); }); });
    loop_.Join();
    loop_.Drain();
  }

 private:
  void ArmAll() {
    Arm(&Service::RequestInit, &TinyStore::Init);
    Arm(&Service::RequestFeatures, &TinyStore::Features);
    Arm(&Service::RequestPing, &TinyStore::Ping);
    Arm(&Service::RequestGet, &TinyStore::Get);
    Arm(&Service::RequestSet, &TinyStore::Set);
    Arm(&Service::RequestBulkSet, &TinyStore::BulkSet);
  }

  // `Base` is the base class of Service that declares the rpc.
  template <class Base, class In, class Out>
  void Arm(void (Base::*ask)(grpc::ServerContext*, In*,
                             grpc::ServerAsyncResponseWriter<Out>*,
                             grpc::CompletionQueue*,
                             grpc::ServerCompletionQueue*, void*),
           grpc::Status (TinyStore::*answer)(const In&, Out*)) {
    UnaryCall<In, Out>::Arm(
        loop_, MethodOf(service_, ask, [this, answer](Rpc<In, Out>& rpc) {
          rpc.FinishWith((store_.*answer)(rpc.request(), &rpc.response()));
        }));
  }

  const PeerFlags flags_;
  TinyStore store_;
  Service service_;
  grpc::ServerBuilder builder_;
  RpcLoop loop_;
};

int Main(int argc, char** argv) {
  SameBytesPeer(ParseFlags(argc, argv)).Serve();
  return 0;
}

}  // namespace
}  // namespace statecpp::wire

int main(int argc, char** argv) { return statecpp::wire::Main(argc, argv); }
