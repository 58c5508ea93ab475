// SPDX-License-Identifier: Apache-2.0
//
// Named as in leveldb's db_bench; README.md says what each one measures.
#include <cstdint>
#include <utility>
#include <vector>

#include "bench/workload.h"

namespace statecpp {
namespace {

using ::benchmark::State;

constexpr int64_t kHotRecords = kBenchRecords / 100;
constexpr int kOpsPerTransaction = 10;
constexpr int kOpsPerBulk = 100;

void FillSeq(State& state) {
  Worker worker(state);
  int64_t number = int64_t{state.thread_index()} << 32;
  for (auto _ : state) worker.Write(number++);
}

void FillRandom(State& state) {
  Worker worker(state);
  for (auto _ : state) worker.Write(worker.Below(int64_t{1} << 32));
}

void Overwrite(State& state) {
  Worker worker(state);
  for (auto _ : state) worker.Write(worker.Below(kBenchRecords));
}

void ReadRandom(State& state) {
  Worker worker(state);
  for (auto _ : state) worker.Read(worker.Below(kBenchRecords));
}

void ReadMissing(State& state) {
  Worker worker(state);
  for (auto _ : state) {
    worker.Read(kBenchRecords + worker.Below(kBenchRecords), false);
  }
}

void ReadHot(State& state) {
  Worker worker(state);
  for (auto _ : state) worker.Read(worker.Below(kHotRecords));
}

// Each thread keeps to keys of its own, so that no write is refused.
void Cas(State& state) {
  Worker worker(state);
  const int64_t keys = kBenchRecords / state.threads();
  for (auto _ : state) {
    worker.ReadAndWrite(state.thread_index() * keys + worker.Below(keys));
  }
}

std::vector<WriteOp> RandomPuts(Worker& worker, int count) {
  std::vector<WriteOp> ops;
  for (int i = 0; i < count; ++i) {
    ops.push_back(worker.Put(worker.Below(kBenchRecords)));
  }
  return ops;
}

void Transact(State& state) {
  Worker worker(state);
  for (auto _ : state) {
    const auto etags =
        StoreOfRun().Transact(RandomPuts(worker, kOpsPerTransaction));
    worker.Count(etags.status(), kOpsPerTransaction);
  }
}

void Bulk100(State& state) {
  Worker worker(state);
  for (auto _ : state) {
    const auto results =
        StoreOfRun().BulkWrite(RandomPuts(worker, kOpsPerBulk));
    for (const Store::WriteResult& result : results) {
      worker.Count(result.status());
    }
  }
}

}  // namespace

std::vector<Workload> DbBenchWorkloads() {
  using Kind = BenchStores::Kind;
  return {
      {"fillseq", FillSeq, Kind::kEmpty, 64},
      {"fillrandom", FillRandom, Kind::kEmpty, 64},
      {"overwrite", Overwrite, Kind::kFilled, 64},
      {"readrandom", ReadRandom, Kind::kFilled, 4},
      {"readmissing", ReadMissing, Kind::kFilled, 4},
      {"readhot", ReadHot, Kind::kFilled, 4},
      {"cas", Cas, Kind::kFilled, 64},
      {"transact", Transact, Kind::kFilled, 64},
      {"bulk100", Bulk100, Kind::kFilled, 64},
  };
}

}  // namespace statecpp
