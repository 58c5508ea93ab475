// SPDX-License-Identifier: Apache-2.0
#include "server/state_store_service.h"

#include <memory>
#include <utility>
#include <vector>

#include "api/convert.h"
#include "api/init_request.h"
#include "api/query_request.h"

namespace statecpp {
namespace {

// What takes longer than about a millisecond does not belong on the thread that
// polls.
constexpr size_t kLargeValue = 64 << 10;
constexpr int kLargeBulk = 32;

using SharedInstance = std::shared_ptr<const Instance>;

// Writes that stand each for itself, or all together if the instance says so.
template <typename Rpc>
void WriteBulk(Rpc& rpc, const SharedInstance& instance, BulkWrite bulk) {
  const CallBounds bounds = rpc.Bounds(instance->config.settings.timeout);
  if (instance->config.settings.bulk_mode == BulkMode::kAtomic) {
    instance->store->TransactAsync(
        std::move(bulk.ops), bounds,
        [&rpc, instance](absl::StatusOr<std::vector<ETag>> etags) {
          rpc.Finish(etags.status());
        });
    return;
  }
  std::vector<WriteOp> ops = std::move(bulk.ops);
  instance->store->BulkWriteAsync(
      std::move(ops), bounds,
      [&rpc, instance, bulk = std::move(bulk)](
          std::vector<Store::WriteResult> results) mutable {
        rpc.Finish(BulkWriteStatus(std::move(bulk), results));
      });
}

// One write, or several that hold together.
template <typename Rpc>
void Write(Rpc& rpc, const SharedInstance& instance, std::vector<WriteOp> ops) {
  instance->store->TransactAsync(
      std::move(ops), rpc.Bounds(instance->config.settings.timeout),
      [&rpc, instance](absl::StatusOr<std::vector<ETag>> etags) {
        rpc.Finish(etags.status());
      });
}

template <typename Rpc>
void WriteOne(Rpc& rpc, const SharedInstance& instance,
              absl::StatusOr<WriteOp> op) {
  if (!op.ok()) return rpc.Finish(op.status());
  std::vector<WriteOp> ops;
  ops.push_back(*std::move(op));
  Write(rpc, instance, std::move(ops));
}

// daprd sends no trace with a call, but an app may send one with its request.
template <typename Rpc>
void NoteTrace(Rpc& rpc) {
  if constexpr (requires { rpc.request().metadata(); }) {
    const auto& metadata = rpc.request().metadata();
    if (metadata.empty()) return;
    const auto found = metadata.find("traceparent");
    if (found != metadata.end()) rpc.meter().SetTraceParent(found->second);
  }
}

template <typename Rpc>
void NoteQuery(Rpc& rpc, const SharedInstance& instance,
               const QueryPage& page) {
  rpc.meter().SetItems(page.rows.size());
  for (const QueryRow& row : page.rows) {
    rpc.meter().AddValue(row.item.value.size());
  }
  instance->figures->query_scanned += page.scanned;
  instance->figures->query_returned += page.rows.size();
}

}  // namespace

void StateStoreService::RegisterWith(grpc::ServerBuilder& builder) {
  builder.RegisterService(&state_store_);
  builder.RegisterService(&transactional_);
  builder.RegisterService(&queriable_);
  builder.RegisterService(&multi_max_size_);
}

template <typename Request, typename Response, typename Service, typename Base>
void StateStoreService::Add(
    RpcLoop& loop, Service& service,
    void (Base::*ask)(grpc::ServerContext*, Request*,
                      grpc::ServerAsyncResponseWriter<Response>*,
                      grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                      void*),
    void (StateStoreService::*handle)(Rpc<Request, Response>&)) {
  UnaryCall<Request, Response>::Arm(
      loop, MethodOf(service, ask, [this, handle](Rpc<Request, Response>& rpc) {
        (this->*handle)(rpc);
      }));
}

void StateStoreService::Arm(RpcLoop& loop) {
  using Self = StateStoreService;
  using Core = StateStore;
  Add(loop, state_store_, &Core::RequestInit, &Self::Init);
  Add(loop, state_store_, &Core::RequestFeatures, &Self::Features);
  Add(loop, state_store_, &Core::RequestPing, &Self::Ping);
  Add(loop, state_store_, &Core::RequestGet, &Self::Get);
  Add(loop, state_store_, &Core::RequestSet, &Self::Set);
  Add(loop, state_store_, &Core::RequestDelete, &Self::Delete);
  Add(loop, state_store_, &Core::RequestBulkGet, &Self::BulkGet);
  Add(loop, state_store_, &Core::RequestBulkSet, &Self::BulkSet);
  Add(loop, state_store_, &Core::RequestBulkDelete, &Self::BulkDelete);
  Add(loop, transactional_,
      &wire::TransactionalStateStore::AsyncService::RequestTransact,
      &Self::Transact);
  Add(loop, multi_max_size_,
      &wire::TransactionalStoreMultiMaxSize::AsyncService::RequestMultiMaxSize,
      &Self::MultiMaxSize);
  Add(loop, queriable_, &wire::QueriableStateStore::AsyncService::RequestQuery,
      &Self::Query);
}

template <typename Rpc, typename Handle>
void StateStoreService::WithInstance(Rpc& rpc, Operation operation,
                                     WorkerPool* pool, Handle handle) {
  NoteTrace(rpc);
  const SharedInstance instance = instances_.Find(rpc.instance());
  if (instance != nullptr) {
    rpc.meter().Assign(instance->figures, operation, &call_log_);
    if (pool == nullptr) return handle(instance);
    return pool->Run([&rpc, handle, instance] {
      rpc.meter().TakeUp();
      handle(instance);
    });
  }
  opener_.Run([this, &rpc, operation, pool, handle] {
    const absl::StatusOr<SharedInstance> recalled =
        instances_.Recall(rpc.instance());
    if (!recalled.ok()) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      return rpc.Finish(recalled.status());
    }
    rpc.meter().Assign((*recalled)->figures, operation, &call_log_);
    rpc.meter().TakeUp();
    if (pool == nullptr) return handle(*recalled);
    pool->Run([&rpc, handle, instance = *recalled] {
      rpc.meter().TakeUp();
      handle(instance);
    });
  });
}

void StateStoreService::Init(Rpc<grpc::ByteBuffer, grpc::ByteBuffer>& rpc) {
  // At once, for as long as it waits for the opener it is not wiped.
  absl::StatusOr<InitProperties> init = TakeInitRequest(rpc.request());
  if (!init.ok()) return rpc.Finish(init.status());
  const grpc::Slice empty;  // an InitResponse, which has no fields
  rpc.response() = grpc::ByteBuffer(&empty, 1);
  opener_.Run([this, &rpc, init = *std::move(init)]() mutable {
    rpc.Finish(instances_.Init(rpc.instance(), std::move(init)));
  });
}

void StateStoreService::Features(
    Rpc<wire::FeaturesRequest, wire::FeaturesResponse>& rpc) {
  for (const char* feature : {"ETAG", "TRANSACTIONAL", "TTL", "QUERY_API"}) {
    rpc.response().add_features(feature);
  }
  rpc.Finish(absl::OkStatus());
}

void StateStoreService::Ping(Rpc<wire::PingRequest, wire::PingResponse>& rpc) {
  rpc.Finish(absl::OkStatus());
}

void StateStoreService::Get(Rpc<wire::GetRequest, wire::GetResponse>& rpc) {
  WithInstance(
      rpc, Operation::kGet, nullptr, [&rpc](const SharedInstance& instance) {
        const absl::StatusOr<absl::string_view> key =
            KeyFromProto(rpc.request());
        if (!key.ok()) return rpc.Finish(key.status());
        absl::StatusOr<std::optional<Item>> item = instance->store->Get(*key);
        if (item.ok()) {
          if (item->has_value()) {
            rpc.meter().AddValue((*item)->value.size());
          } else {
            rpc.meter().SetMiss();
          }
          ItemToProto(*std::move(item), rpc.response());
        }
        rpc.Finish(item.status());
      });
}

void StateStoreService::Set(Rpc<wire::SetRequest, wire::SetResponse>& rpc) {
  const bool large = rpc.request().value().size() >= kLargeValue;
  WithInstance(rpc, Operation::kSet, large ? &workers_ : nullptr,
               [&rpc](const SharedInstance& instance) {
                 rpc.meter().AddValue(rpc.request().value().size());
                 WriteOne(rpc, instance,
                          SetFromProto(instance->config.settings,
                                       std::move(rpc.request())));
               });
}

void StateStoreService::Delete(
    Rpc<wire::DeleteRequest, wire::DeleteResponse>& rpc) {
  WithInstance(
      rpc, Operation::kDelete, nullptr, [&rpc](const SharedInstance& instance) {
        WriteOne(rpc, instance, DeleteFromProto(std::move(rpc.request())));
      });
}

void StateStoreService::BulkGet(
    Rpc<wire::BulkGetRequest, wire::BulkGetResponse>& rpc) {
  const bool large = rpc.request().items_size() > kLargeBulk;
  WithInstance(rpc, Operation::kBulkGet, large ? &workers_ : nullptr,
               [&rpc](const SharedInstance& instance) {
                 rpc.meter().SetItems(rpc.request().items_size());
                 absl::StatusOr<std::vector<Store::ReadResult>> results =
                     instance->store->BulkGet(KeysFromProto(rpc.request()),
                                              kMaxReplySize);
                 if (!results.ok()) return rpc.Finish(results.status());
                 for (const Store::ReadResult& result : *results) {
                   if (result.ok() && result->has_value()) {
                     rpc.meter().AddValue((*result)->value.size());
                   }
                   if (absl::IsDataLoss(result.status())) {
                     rpc.meter().AddDamage(result.status());
                   }
                 }
                 absl::StatusOr<wire::BulkGetResponse> response = ItemsToProto(
                     std::move(rpc.request()), *std::move(results));
                 if (response.ok()) rpc.response() = *std::move(response);
                 rpc.Finish(response.status());
               });
}

void StateStoreService::BulkSet(
    Rpc<wire::BulkSetRequest, wire::BulkSetResponse>& rpc) {
  const bool large = rpc.request().items_size() > kLargeBulk ||
                     rpc.request().ByteSizeLong() >= kLargeValue;
  WithInstance(rpc, Operation::kBulkSet, large ? &workers_ : nullptr,
               [&rpc](const SharedInstance& instance) {
                 rpc.meter().SetItems(rpc.request().items_size());
                 for (const wire::SetRequest& item : rpc.request().items()) {
                   rpc.meter().AddValue(item.value().size());
                 }
                 absl::StatusOr<BulkWrite> bulk = BulkSetFromProto(
                     instance->config.settings, std::move(rpc.request()));
                 if (!bulk.ok()) return rpc.Finish(bulk.status());
                 WriteBulk(rpc, instance, *std::move(bulk));
               });
}

void StateStoreService::BulkDelete(
    Rpc<wire::BulkDeleteRequest, wire::BulkDeleteResponse>& rpc) {
  const bool large = rpc.request().items_size() > kLargeBulk;
  WithInstance(rpc, Operation::kBulkDelete, large ? &workers_ : nullptr,
               [&rpc](const SharedInstance& instance) {
                 rpc.meter().SetItems(rpc.request().items_size());
                 absl::StatusOr<BulkWrite> bulk = BulkDeleteFromProto(
                     instance->config.settings, std::move(rpc.request()));
                 if (!bulk.ok()) return rpc.Finish(bulk.status());
                 WriteBulk(rpc, instance, *std::move(bulk));
               });
}

void StateStoreService::Transact(Rpc<wire::TransactionalStateRequest,
                                     wire::TransactionalStateResponse>& rpc) {
  const bool large = rpc.request().operations_size() > kLargeBulk ||
                     rpc.request().ByteSizeLong() >= kLargeValue;
  WithInstance(rpc, Operation::kTransaction, large ? &workers_ : nullptr,
               [&rpc](const SharedInstance& instance) {
                 rpc.meter().SetItems(rpc.request().operations_size());
                 for (const auto& operation : rpc.request().operations()) {
                   if (operation.has_set()) {
                     rpc.meter().AddValue(operation.set().value().size());
                   }
                 }
                 absl::StatusOr<std::vector<WriteOp>> ops =
                     TransactionFromProto(instance->config.settings,
                                          std::move(rpc.request()));
                 if (!ops.ok()) return rpc.Finish(ops.status());
                 Write(rpc, instance, *std::move(ops));
               });
}

// Asked by daprd at any time, also before Init, and remembered for good: no
// instance is needed for an answer, only for a better one.
void StateStoreService::MultiMaxSize(
    Rpc<wire::MultiMaxSizeRequest, wire::MultiMaxSizeResponse>& rpc) {
  const SharedInstance instance = instances_.Find(rpc.instance());
  rpc.response().set_max_size(
      instance == nullptr ? 0 : instance->config.settings.max_txn_ops);
  rpc.Finish(absl::OkStatus());
}

// However long it takes, on a thread that nothing else waits for.
void StateStoreService::Query(
    Rpc<wire::QueryRequest, wire::QueryResponse>& rpc) {
  WithInstance(rpc, Operation::kQuery, &queries_,
               [&rpc](const SharedInstance& instance) {
                 const absl::StatusOr<statecpp::Query> query =
                     QueryFromProto(instance->config.settings, rpc.request());
                 if (!query.ok()) return rpc.Finish(query.status());
                 absl::StatusOr<QueryPage> page = instance->store->Query(
                     *query, rpc.Bounds(instance->config.settings.timeout));
                 if (page.ok()) {
                   NoteQuery(rpc, instance, *page);
                   rpc.response() = PageToProto(*std::move(page));
                 }
                 rpc.Finish(page.status());
               });
}

}  // namespace statecpp
