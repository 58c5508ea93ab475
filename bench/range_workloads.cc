// SPDX-License-Identifier: Apache-2.0
//
// What reads or removes many records in one call.
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/workload.h"
#include "engine/query.h"

namespace statecpp {
namespace {

using ::benchmark::State;

constexpr int64_t kChildren = 1000;

// The first page of those documents that a query asks for, of all there are.
void QueryDocuments(State& state) {
  const absl::StatusOr<Query> query = Query::FromJson(R"({
      "filter": {"EQ": {"city": "city-42"}},
      "sort": [{"key": "amount", "order": "DESC"}],
      "page": {"limit": 100}})");
  MustBeOk(query.status());
  for (auto _ : state) {
    const absl::StatusOr<QueryPage> page = StoreOfRun().Query(*query);
    if (!page.ok() || page->rows.size() != 100) {
      state.SkipWithError("the query failed, or found another number of rows");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * kBenchDocuments);
}

// An actor's state, as it is removed when the actor goes.
void DeletePrefix(State& state) {
  Worker worker(state);
  for (auto _ : state) {
    std::vector<WriteOp> ops;
    for (int64_t i = 0; i < kChildren; ++i) {
      ops.push_back(worker.Put(i));
      ops.back().key = absl::StrCat("bench||doomed||", i);
    }
    MustBeOk(StoreOfRun().Transact(std::move(ops)).status());
    const auto begin = std::chrono::steady_clock::now();
    const auto removed = StoreOfRun().DeleteWithPrefix("bench||doomed");
    const std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - begin;
    state.SetIterationTime(took.count());
    if (removed.ok() && *removed != kChildren) {
      state.SkipWithError("another number of records was removed");
      break;
    }
    worker.Count(removed.status(), kChildren);
  }
}

}  // namespace

std::vector<Workload> RangeWorkloads() {
  using Kind = BenchStores::Kind;
  return {
      {.name = "query100k",
       .run = QueryDocuments,
       .store = Kind::kDocuments,
       .max_threads = 4,
       .value_bytes = {128}},
      {.name = "deleteprefix",
       .run = DeletePrefix,
       .store = Kind::kFilled,
       .max_threads = 1,
       .times_itself = true},
  };
}

}  // namespace statecpp
