// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_GRPC_LOG_H_
#define STATECPP_SERVER_GRPC_LOG_H_

namespace statecpp {

// From now on what gRPC writes to its own log stands in ours, in the format
// that was chosen: a collector that reads JSON drops every other line. For the
// program to call before it uses gRPC.
void TakeGrpcLog();

}  // namespace statecpp

#endif  // STATECPP_SERVER_GRPC_LOG_H_
