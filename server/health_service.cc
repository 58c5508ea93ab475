// SPDX-License-Identifier: Apache-2.0
#include "server/health_service.h"

#include <utility>

#include "absl/strings/string_view.h"

namespace statecpp {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

void HealthService::RegisterWith(grpc::ServerBuilder& builder) {
  builder.RegisterService(&service_);
}

void HealthService::Arm(RpcLoop& loop) {
  auto method =
      MethodOf(service_, &Service::RequestCheck,
               [this](Rpc<HealthCheckRequest, HealthCheckResponse>& rpc) {
                 Check(rpc);
               });
  method.always = true;
  UnaryCall<HealthCheckRequest, HealthCheckResponse>::Arm(loop,
                                                          std::move(method));
}

void HealthService::Check(Rpc<HealthCheckRequest, HealthCheckResponse>& rpc) {
  const absl::string_view service = rpc.request().service();
  if (!service.empty() && service != "dapr.proto.components.v1.StateStore") {
    return rpc.FinishWith(
        grpc::Status(grpc::StatusCode::NOT_FOUND, "unknown service"));
  }
  const bool serving = service.empty() ? serving_.load() : StoreIsServing();
  rpc.response().set_status(serving ? HealthCheckResponse::SERVING
                                    : HealthCheckResponse::NOT_SERVING);
  rpc.Finish(absl::OkStatus());
}

}  // namespace statecpp
