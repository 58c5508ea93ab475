// SPDX-License-Identifier: Apache-2.0
//
// What store_bench runs: the workloads of the three files of that name, and
// what they have in common.

#ifndef STATECPP_BENCH_WORKLOAD_H_
#define STATECPP_BENCH_WORKLOAD_H_

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/bench_store.h"
#include "bench/key_chooser.h"
#include "engine/store.h"
#include "engine/write.h"

namespace statecpp {

// One benchmark, which runs for each size of values, plain and sealed, and with
// 1, 4, 16 and 64 threads as far as it may.
struct Workload {
  std::string name;
  void (*run)(benchmark::State&);
  BenchStores::Kind store;
  int max_threads;
  std::vector<int64_t> value_bytes = {128, 1 << 10, 16 << 10};
  // Says itself how long an iteration took.
  bool times_itself = false;
};

// As of leveldb's db_bench; YCSB's A to F; queries and prefixes.
std::vector<Workload> DbBenchWorkloads();
std::vector<Workload> YcsbWorkloads();
std::vector<Workload> RangeWorkloads();

// Where runs find their stores, from now on; the store of this run.
void RunOn(BenchStores& stores);
Store& StoreOfRun();

// One thread of one run: its values, its random numbers, its outcome.
class Worker {
 public:
  explicit Worker(benchmark::State& state);
  ~Worker();

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  int64_t Below(int64_t bound) { return UniformChooser(bound).Next(random_); }
  BenchRandom& random() { return random_; }

  WriteOp Put(int64_t number) {
    return {.key = BenchKey(number), .value = value_};
  }

  // Puts a record, or reads one, or reads one and puts it under the ETag that
  // it had, once more where another thread was faster. Counts it, and ends the
  // run if that fails.
  void Write(int64_t number);
  void Read(int64_t number, bool expected = true);
  void ReadAndWrite(int64_t number);

  // Counts records, or ends the run if the call that wrote or read them failed.
  void Count(const absl::Status& status, int64_t records = 1);

 private:
  benchmark::State& state_;
  const std::string value_;
  BenchRandom random_;
  int64_t records_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_BENCH_WORKLOAD_H_
