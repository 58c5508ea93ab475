// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_CONVERT_H_
#define STATECPP_API_CONVERT_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "api/component_config.h"
#include "dapr/proto/components/v1/state.pb.h"
#include "engine/errors.h"
#include "engine/etag.h"
#include "engine/item.h"
#include "engine/write.h"

// Dapr's messages into what the engine takes, and back. Init's is in
// init_request.h.
//
//   absl::StatusOr<WriteOp> op = SetFromProto(settings, std::move(request));
//   if (!op.ok()) return GrpcStatusFrom(op.status());
//   absl::StatusOr<ETag> etag = store.Set(*std::move(op));
//
// Requests are taken as rvalues where their strings move into the result, so
// that a value is not copied; what is left of such a request is valid and says
// nothing. Metadata that is not named here (partitionKey, queryIndexName,
// whatever the user added) is ignored.
//
// Every error is INVALID_ARGUMENT, with an HTTP status, unless said otherwise.
// Thread-safe: all functions are pure.
namespace statecpp {

namespace wire = ::dapr::proto::components::v1;

// What daprd accepts in one reply is 4 MiB, framing and gRPC's own bytes aside.
inline constexpr uint64_t kMaxReplySize = (uint64_t{4} << 20) - 2048;

// --- Reads -------------------------------------------------------------------

// The key to read, which the request keeps. Errors: it is empty.
absl::StatusOr<absl::string_view> KeyFromProto(const wire::GetRequest& request);

// Makes the reply, still empty, for an item that a read found, or for none. A
// missing item is an empty reply, without an Etag; an item with an empty value
// has its Etag. `ttlExpireTime` is there for items that expire, and only for
// them.
void ItemToProto(std::optional<Item> item, wire::GetResponse& response);

// The keys to read, which the request keeps: those of its items, in order,
// without the empty ones.
std::vector<absl::string_view> KeysFromProto(
    const wire::BulkGetRequest& request);

// The reply to a bulk read: one item per item of the request, in its order,
// repeated ones included, each with its key. `results` are those of the keys
// that KeysFromProto returned. A failed read, an empty key and a value past
// kMaxReplySize become the `error` of their item; smaller items behind such a
// value are still returned.
//
// RESOURCE_EXHAUSTED: the reply is too large even without any value.
absl::StatusOr<wire::BulkGetResponse> ItemsToProto(
    wire::BulkGetRequest&& request,
    std::vector<absl::StatusOr<std::optional<Item>>> results);

// --- Writes ------------------------------------------------------------------

// An Etag with an empty value counts as none. With an ETag it alone decides;
// without one, first-write asks for the key to be absent. The content type is
// the field's, else that of metadata `contentType`. The time to live is that of
// metadata `ttlInSeconds`, else the instance's default, which leaves alone the
// rows of Dapr's own actors (workflows break when rows vanish).
//
// Errors: the key is empty; `ttlInSeconds` or the concurrency is none; key,
// value and content type pass the instance's limit (HTTP 413).
absl::StatusOr<WriteOp> SetFromProto(const InstanceSettings& settings,
                                     wire::SetRequest&& request);

// First-write without an ETag asks for nothing here, as in Dapr's SQL stores.
//
// Errors: the key is empty; the concurrency is none.
absl::StatusOr<WriteOp> DeleteFromProto(wire::DeleteRequest&& request);

// The operations in order; none is no error. A `contentType` in the metadata of
// the transaction holds for sets that name none.
//
// Errors: more operations than the instance allows; one that is neither set nor
// delete, or not valid, named by its number.
absl::StatusOr<std::vector<WriteOp>> TransactionFromProto(
    const InstanceSettings& settings,
    wire::TransactionalStateRequest&& request);

// A bulk write on its way through the store.
struct BulkWrite {
  // What the store is to write, in order.
  std::vector<WriteOp> ops;
  // One per item of the request, in order: its key, and OK if it is among
  // `ops`, else why it is not.
  std::vector<error::BulkFailure> items;
};

// Errors: none if each item stands for itself (BulkMode::kPerItem). Else those
// of the first item that is not valid, named by its number.
absl::StatusOr<BulkWrite> BulkSetFromProto(const InstanceSettings& settings,
                                           wire::BulkSetRequest&& request);
absl::StatusOr<BulkWrite> BulkDeleteFromProto(
    const InstanceSettings& settings, wire::BulkDeleteRequest&& request);

// The one status that the reply to a bulk write can carry: OK, or
// error::BulkPartlyFailed of the items not written. `results` are the store's,
// one per op.
absl::Status BulkWriteStatus(BulkWrite bulk,
                             absl::Span<const absl::StatusOr<ETag>> results);

}  // namespace statecpp

#endif  // STATECPP_API_CONVERT_H_
