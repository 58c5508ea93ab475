// SPDX-License-Identifier: Apache-2.0
//
// What a Store does in a second, on a real file. README.md says what each
// workload measures. Every write is synced before it counts.
#include <benchmark/benchmark.h>

#include "bench/bench_store.h"
#include "bench/workload.h"

namespace statecpp {
namespace {

BenchStores* stores = nullptr;

template <BenchStores::Kind kKind>
void SetUp(const benchmark::State& state) {
  stores->Use(kKind, state.range(0), state.range(1) != 0);
}

// The library takes a plain function, which knows the kind by its type.
auto SetUpOf(BenchStores::Kind kind) {
  using Kind = BenchStores::Kind;
  switch (kind) {
    case Kind::kEmpty:
      return SetUp<Kind::kEmpty>;
    case Kind::kFilled:
      return SetUp<Kind::kFilled>;
    case Kind::kGrowing:
      return SetUp<Kind::kGrowing>;
    case Kind::kDocuments:
      return SetUp<Kind::kDocuments>;
  }
  return SetUp<Kind::kEmpty>;
}

void Register(const Workload& workload) {
  auto* benchmark =
      benchmark::RegisterBenchmark(workload.name.c_str(), workload.run);
  for (const int threads : {1, 4, 16, 64}) {
    if (threads <= workload.max_threads) benchmark->Threads(threads);
  }
  benchmark->Setup(SetUpOf(workload.store))
      ->ArgNames({"bytes", "sealed"})
      ->ArgsProduct({workload.value_bytes, {0, 1}});
  // Writers wait for the disk, so CPU time would flatter them.
  workload.times_itself ? benchmark->UseManualTime() : benchmark->UseRealTime();
}

}  // namespace

}  // namespace statecpp

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  statecpp::BenchStores stores;
  statecpp::stores = &stores;
  statecpp::RunOn(stores);
  benchmark::AddCustomContext("durability", "every write synced");
  benchmark::AddCustomContext("folder", stores.folder());
  for (const auto& workloads :
       {statecpp::DbBenchWorkloads(), statecpp::YcsbWorkloads(),
        statecpp::RangeWorkloads()}) {
    for (const statecpp::Workload& workload : workloads) {
      statecpp::Register(workload);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
}
