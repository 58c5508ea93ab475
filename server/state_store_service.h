// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_STATE_STORE_SERVICE_H_
#define STATECPP_SERVER_STATE_STORE_SERVICE_H_

#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "dapr/proto/components/v1/state.grpc.pb.h"
#include "server/call_log.h"
#include "server/instance_figures.h"
#include "server/instances.h"
#include "server/rpc_loop.h"
#include "server/unary_call.h"
#include "server/worker_pool.h"

namespace statecpp {

namespace wire = ::dapr::proto::components::v1;

// The twelve rpcs of Dapr's contract, one short handler each: find the
// instance, convert, call the store, convert back.
//
// A handler runs on the loop's thread. What opens a store, or reads or writes
// much, goes to the workers, and a query, which may take seconds, to threads
// for queries alone; a commit answers from the commit thread. The rest is
// answered on the spot.
class StateStoreService {
 public:
  struct Pools {
    WorkerPool& workers;
    WorkerPool& queries;
    // Configures instances, so that one whose store is slow to open does not
    // keep the workers from others.
    WorkerPool& opener;
  };

  // All of them outlive the service.
  StateStoreService(Instances& instances, CallLog& call_log, const Pools& pools)
      : instances_(instances),
        call_log_(call_log),
        workers_(pools.workers),
        queries_(pools.queries),
        opener_(pools.opener) {}

  void RegisterWith(grpc::ServerBuilder& builder);

  // Asks for the first call of each rpc; on the loop's thread.
  void Arm(RpcLoop& loop);

  // Calls that were refused since their instance could not be served. For any
  // thread.
  const std::atomic<uint64_t>& refused() const { return refused_; }

 private:
  // AsyncService, but that Init comes as the bytes that were sent: they may
  // hold a key, and must not become strings that nobody wipes.
  using Wire = wire::StateStore;
  using StateStore = Wire::WithRawMethod_Init<Wire::WithAsyncMethod_Features<
      Wire::WithAsyncMethod_Delete<Wire::WithAsyncMethod_Get<
          Wire::WithAsyncMethod_Set<Wire::WithAsyncMethod_Ping<
              Wire::WithAsyncMethod_BulkDelete<Wire::WithAsyncMethod_BulkGet<
                  Wire::WithAsyncMethod_BulkSet<Wire::Service>>>>>>>>>;

  void Init(Rpc<grpc::ByteBuffer, grpc::ByteBuffer>& rpc);
  void Features(Rpc<wire::FeaturesRequest, wire::FeaturesResponse>& rpc);
  void Ping(Rpc<wire::PingRequest, wire::PingResponse>& rpc);
  void Get(Rpc<wire::GetRequest, wire::GetResponse>& rpc);
  void Set(Rpc<wire::SetRequest, wire::SetResponse>& rpc);
  void Delete(Rpc<wire::DeleteRequest, wire::DeleteResponse>& rpc);
  void BulkGet(Rpc<wire::BulkGetRequest, wire::BulkGetResponse>& rpc);
  void BulkSet(Rpc<wire::BulkSetRequest, wire::BulkSetResponse>& rpc);
  void BulkDelete(Rpc<wire::BulkDeleteRequest, wire::BulkDeleteResponse>& rpc);
  void Transact(Rpc<wire::TransactionalStateRequest,
                    wire::TransactionalStateResponse>& rpc);
  void MultiMaxSize(
      Rpc<wire::MultiMaxSizeRequest, wire::MultiMaxSizeResponse>& rpc);
  void Query(Rpc<wire::QueryRequest, wire::QueryResponse>& rpc);

  // Calls `handle(instance)` when the call's instance is there: by `pool`, or
  // without one at once if it is open, and on the opener if the instance has
  // to be recalled. Answers the call itself where there is no such instance.
  // From then on the call counts as one of the instance's.
  template <typename Rpc, typename Handle>
  void WithInstance(Rpc& rpc, Operation operation, WorkerPool* pool,
                    Handle handle);

  template <typename Request, typename Response, typename Service,
            typename Base>
  void Add(RpcLoop& loop, Service& service,
           void (Base::*ask)(grpc::ServerContext*, Request*,
                             grpc::ServerAsyncResponseWriter<Response>*,
                             grpc::CompletionQueue*,
                             grpc::ServerCompletionQueue*, void*),
           void (StateStoreService::*handle)(Rpc<Request, Response>&));

  Instances& instances_;
  CallLog& call_log_;
  std::atomic<uint64_t> refused_ = 0;
  WorkerPool& workers_;
  WorkerPool& queries_;
  WorkerPool& opener_;
  StateStore state_store_;
  wire::TransactionalStateStore::AsyncService transactional_;
  wire::QueriableStateStore::AsyncService queriable_;
  wire::TransactionalStoreMultiMaxSize::AsyncService multi_max_size_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_STATE_STORE_SERVICE_H_
