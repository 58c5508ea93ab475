// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_STATUS_H_
#define STATECPP_API_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace statecpp {

// The only place where an error of ours becomes one that gRPC sends. What an
// application sees of it is decided by daprd, which looks at the code and at
// the one google.rpc detail that the serialized google.rpc.Status in
// error_details() carries:
//
//   status                    detail                     app sees, over HTTP
//   ETag mismatch             BadRequest, field "etag"   409 and our text
//   has an HTTP status        ErrorInfo, "kit_error"     that status, our text
//   any other                 none                       500 and our text
//
// An error has an HTTP status where error::HttpCode says so, else where its
// code implies one: 400, 401, 403, 409, 503 or 507. In a transaction daprd
// shows 500 whatever is sent, so the text always says everything.
//
// Some codes say more to a client than they are meant to, and are exchanged:
//   - FAILED_PRECONDITION means ETags alone (daprd's workflows retry it for
//     ever): any other becomes INTERNAL;
//   - NOT_FOUND would read as "there is no such key": it becomes INTERNAL;
//   - what is 503 over HTTP is UNAVAILABLE.
//
// A long text loses its middle: with details, a trailer must stay below the
// 8 KiB that gRPC clients accept, or they report another error instead.
//
// Thread-safe.
grpc::Status GrpcStatusFrom(const absl::Status& status);

}  // namespace statecpp

#endif  // STATECPP_API_STATUS_H_
