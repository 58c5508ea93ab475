// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_QUERY_REQUEST_H_
#define STATECPP_API_QUERY_REQUEST_H_

#include "absl/status/statusor.h"
#include "api/component_config.h"
#include "dapr/proto/components/v1/state.pb.h"
#include "engine/query.h"

// Dapr's Query into the engine's, and the page back.
namespace statecpp {

namespace wire = ::dapr::proto::components::v1;

// The query that a request asks for. Its filter is a map of one entry, the
// operator at the root, or of none; the Any there is none, but the operand as
// JSON, under no type. Metadata `keyPrefix` is the prefix of the keys to look
// at; the rest of the metadata says nothing here.
//
// INVALID_ARGUMENT, with an HTTP status: the query is malformed; the text names
//     the spot. Or the instance wants a prefix that bounds the query, and there
//     is none.
absl::StatusOr<Query> QueryFromProto(const InstanceSettings& settings,
                                     const wire::QueryRequest& request);

// The reply, in the order of the rows and with their page's token. Of a row
// that alone is larger than daprd can receive there is the key, and an `error`.
wire::QueryResponse PageToProto(QueryPage page);

}  // namespace statecpp

#endif  // STATECPP_API_QUERY_REQUEST_H_
