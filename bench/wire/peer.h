// SPDX-License-Identifier: Apache-2.0
//
// What the peers of this benchmark share: the answers, so that nothing but
// the gRPC API differs between them, and the life of the process.

#ifndef STATECPP_BENCH_WIRE_PEER_H_
#define STATECPP_BENCH_WIRE_PEER_H_

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "dapr/proto/components/v1/state.pb.h"

namespace statecpp::wire {

namespace proto = ::dapr::proto::components::v1;

// The smallest state store that daprd and a load generator are content with: a
// map in memory. Each function answers one rpc.
//
// Thread-safe.
class TinyStore {
 public:
  grpc::Status Init(const proto::InitRequest&, proto::InitResponse*);
  grpc::Status Features(const proto::FeaturesRequest&,
                        proto::FeaturesResponse* response);
  grpc::Status Ping(const proto::PingRequest&, proto::PingResponse*);
  grpc::Status Get(const proto::GetRequest& request,
                   proto::GetResponse* response) ABSL_LOCKS_EXCLUDED(mu_);
  grpc::Status Set(const proto::SetRequest& request, proto::SetResponse*)
      ABSL_LOCKS_EXCLUDED(mu_);
  grpc::Status BulkSet(const proto::BulkSetRequest& request,
                       proto::BulkSetResponse*) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Mutex mu_;
  absl::flat_hash_map<std::string, std::string> rows_ ABSL_GUARDED_BY(mu_);
};

// The command line of all peers.
struct PeerFlags {
  // The socket to publish.
  std::string socket;
  // See AsyncNotifyWhenDone; means nothing to the callback peer.
  bool notify_when_done = false;
  // Sets gRPC's channel argument for throughput, which is said to help the
  // callback API.
  bool throughput = false;
};

// Parses the command line; ends the process when it is wrong. Call it first: it
// blocks the signals that ServeUntilSignalled() waits for, which has to happen
// before gRPC starts a thread.
PeerFlags ParseFlags(int argc, char** argv);

// Serves the services registered in `builder`, and reflection, on the socket:
// binds it out of sight, calls `started` and puts the socket into place.
// Returns the server, shut down, after SIGTERM or SIGINT.
std::unique_ptr<grpc::Server> ServeUntilSignalled(
    grpc::ServerBuilder& builder, const PeerFlags& flags,
    const std::function<void()>& started);

}  // namespace statecpp::wire

#endif  // STATECPP_BENCH_WIRE_PEER_H_
