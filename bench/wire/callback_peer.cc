// SPDX-License-Identifier: Apache-2.0
//
// TinyStore behind gRPC's callback API: gRPC's own threads call a handler,
// which answers at once.

#include "bench/wire/peer.h"
#include "dapr/proto/components/v1/state.grpc.pb.h"

namespace statecpp::wire {
namespace {

// The rpcs that are not overridden answer UNIMPLEMENTED.
class CallbackService final : public proto::StateStore::CallbackService {
 public:
  grpc::ServerUnaryReactor* Init(grpc::CallbackServerContext* context,
                                 const proto::InitRequest* request,
                                 proto::InitResponse* response) override {
    return Finish(context, store_.Init(*request, response));
  }

  grpc::ServerUnaryReactor* Features(
      grpc::CallbackServerContext* context,
      const proto::FeaturesRequest* request,
      proto::FeaturesResponse* response) override {
    return Finish(context, store_.Features(*request, response));
  }

  grpc::ServerUnaryReactor* Ping(grpc::CallbackServerContext* context,
                                 const proto::PingRequest* request,
                                 proto::PingResponse* response) override {
    return Finish(context, store_.Ping(*request, response));
  }

  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context,
                                const proto::GetRequest* request,
                                proto::GetResponse* response) override {
    return Finish(context, store_.Get(*request, response));
  }

  grpc::ServerUnaryReactor* Set(grpc::CallbackServerContext* context,
                                const proto::SetRequest* request,
                                proto::SetResponse* response) override {
    return Finish(context, store_.Set(*request, response));
  }

  grpc::ServerUnaryReactor* BulkSet(grpc::CallbackServerContext* context,
                                    const proto::BulkSetRequest* request,
                                    proto::BulkSetResponse* response) override {
    return Finish(context, store_.BulkSet(*request, response));
  }

 private:
  static grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context,
                                          const grpc::Status& status) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(status);
    return reactor;
  }

  TinyStore store_;
};

int Main(int argc, char** argv) {
  const PeerFlags flags = ParseFlags(argc, argv);
  CallbackService service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  ServeUntilSignalled(builder, flags, [] {});
  return 0;
}

}  // namespace
}  // namespace statecpp::wire

int main(int argc, char** argv) { return statecpp::wire::Main(argc, argv); }
