// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_HEALTH_SERVICE_H_
#define STATECPP_SERVER_HEALTH_SERVICE_H_

#include <grpcpp/server_builder.h>

#include <atomic>

#include "grpc/health/v1/health.grpc.pb.h"
#include "server/instances.h"
#include "server/rpc_loop.h"
#include "server/unary_call.h"

namespace statecpp {

// grpc.health.v1, for probes and for `statecpp health`. "" and the state
// store's service are SERVING from the moment the socket is there until the
// shutdown begins: whether an instance is configured is not the process's
// health. But while an instance waits for a key that only daprd can bring, the
// state store's service is NOT_SERVING. Watch is not implemented, which the
// protocol allows.
//
// Ours, on our own queue: gRPC's built-in service would bring a second polling
// thread, and cost more than a third of the server's throughput.
class HealthService {
 public:
  // Outlives this.
  explicit HealthService(const Instances& instances) : instances_(instances) {}

  void RegisterWith(grpc::ServerBuilder& builder);

  // Asks for the first call; on the loop's thread.
  void Arm(RpcLoop& loop);

  // Whether the state store's service is SERVING, for those who ask by another
  // way. From any thread.
  bool StoreIsServing() const { return serving_ && !instances_.MissesKey(); }

  // From now on NOT_SERVING. From any thread.
  void StopServing() { serving_ = false; }

 private:
  using Service = grpc::health::v1::Health::WithAsyncMethod_Check<
      grpc::health::v1::Health::Service>;

  void Check(Rpc<grpc::health::v1::HealthCheckRequest,
                 grpc::health::v1::HealthCheckResponse>& rpc);

  const Instances& instances_;
  std::atomic<bool> serving_ = true;
  Service service_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_HEALTH_SERVICE_H_
