// SPDX-License-Identifier: Apache-2.0
//
// What a Store does in a second, on a real file. The workloads are named as in
// leveldb's db_bench; README.md says what each one measures. Every write is
// synced before it counts.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "crypto/master_key.h"
#include "engine/store.h"

namespace statecpp {
namespace {

using ::benchmark::State;

// Of each value size, in the stores that a workload finds filled.
constexpr int64_t kRecords = 10000;
constexpr int64_t kHotRecords = kRecords / 100;
constexpr int kOpsPerTransaction = 10;
constexpr int kOpsPerBulk = 100;

// Ends the program: a benchmark whose store cannot be set up has no result.
void MustBeOk(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  std::exit(1);
}

std::string KeyOf(int64_t number) {
  return absl::StrCat("bench||key-", absl::Dec(number, absl::kZeroPad12));
}

// The stores that workloads run on, below one folder that goes away with them.
class Stores {
 public:
  Stores() {
    const char* parent = std::getenv("STATECPP_BENCH_DIR");
    folder_ = absl::StrCat(parent == nullptr ? "/tmp" : parent,
                           "/statecpp-bench-XXXXXX");
    if (mkdtemp(folder_.data()) == nullptr) {
      std::cerr << "cannot make a folder like " << folder_
                << "; name one that exists in STATECPP_BENCH_DIR\n";
      std::exit(1);
    }
  }
  ~Stores() {
    current_.reset();
    filled_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  const std::string& folder() const { return folder_; }
  Store& current() { return *current_; }

  // A new store for every run.
  void UseEmpty(bool sealed) {
    current_.reset();
    const std::string path = absl::StrCat(folder_, "/empty");
    std::filesystem::remove_all(path);
    current_ = Open(path, sealed);
  }

  // One store for all runs with values of this size: no workload adds keys to
  // it or takes any away.
  void UseFilled(int64_t value_bytes, bool sealed) {
    std::shared_ptr<Store>& store = filled_[{value_bytes, sealed}];
    if (store == nullptr) {
      store = Open(
          absl::StrCat(folder_, sealed ? "/sealed-" : "/plain-", value_bytes),
          sealed);
      Fill(*store, value_bytes);
    }
    current_ = store;
  }

 private:
  std::shared_ptr<Store> Open(const std::string& path, bool sealed) {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = path,
                     .keys = sealed ? keys_ : nullptr,
                     .cleanup_interval = absl::ZeroDuration()});
    MustBeOk(store.status());
    return *std::move(store);
  }

  static void Fill(Store& store, int64_t value_bytes) {
    constexpr int64_t kBatch = 1000;
    for (int64_t first = 0; first < kRecords; first += kBatch) {
      std::vector<WriteOp> ops;
      for (int64_t i = first; i < first + kBatch; ++i) {
        ops.push_back(
            {.key = KeyOf(i),
             .value = std::string(static_cast<size_t>(value_bytes), 'v')});
      }
      MustBeOk(store.Transact(std::move(ops)).status());
    }
  }

  std::string folder_;
  const std::shared_ptr<const MasterKeys> keys_ = [] {
    auto keys = std::make_shared<MasterKeys>();
    keys->push_back(MasterKey::FromKey("bench", Secret::Random()));
    return keys;
  }();
  std::map<std::pair<int64_t, bool>, std::shared_ptr<Store>> filled_;
  std::shared_ptr<Store> current_;
};

Stores* stores = nullptr;

void UseEmpty(const State& state) { stores->UseEmpty(state.range(1) != 0); }
void UseFilled(const State& state) {
  stores->UseFilled(state.range(0), state.range(1) != 0);
}

// One thread of one run: its values, its random numbers, its outcome.
class Worker {
 public:
  explicit Worker(State& state)
      : state_(state),
        value_(static_cast<size_t>(state.range(0)), 'w'),
        random_(static_cast<uint64_t>(state.thread_index()) + 1) {}

  ~Worker() {
    state_.SetItemsProcessed(records_);
    // A read that finds nothing moves no bytes.
    if (bytes_ > 0) state_.SetBytesProcessed(bytes_);
  }

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  int64_t Below(int64_t bound) {
    return std::uniform_int_distribution<int64_t>(0, bound - 1)(random_);
  }

  WriteOp Put(int64_t number) {
    return {.key = KeyOf(number), .value = value_};
  }

  // Counts records, or ends the run if the call that wrote them failed.
  void CountWritten(const absl::Status& status, int64_t records = 1) {
    if (status.ok()) {
      records_ += records;
      bytes_ += records * state_.range(0);
    } else {
      state_.SkipWithError(status.ToString().c_str());
    }
  }

  // Reads a key that is there, or one that is not.
  void Read(int64_t number, bool expected) {
    const auto item = stores->current().Get(KeyOf(number));
    if (!item.ok() || item->has_value() != expected) {
      state_.SkipWithError("a read failed, or found what it should not");
      return;
    }
    ++records_;
    if (expected) bytes_ += state_.range(0);
  }

 private:
  State& state_;
  const std::string value_;
  std::mt19937_64 random_;
  int64_t records_ = 0;
  int64_t bytes_ = 0;
};

void FillSeq(State& state) {
  Worker worker(state);
  int64_t number = int64_t{state.thread_index()} << 32;
  for (auto _ : state) {
    worker.CountWritten(stores->current().Set(worker.Put(number++)).status());
  }
}

void FillRandom(State& state) {
  Worker worker(state);
  for (auto _ : state) {
    const int64_t number = worker.Below(int64_t{1} << 32);
    worker.CountWritten(stores->current().Set(worker.Put(number)).status());
  }
}

void Overwrite(State& state) {
  Worker worker(state);
  for (auto _ : state) {
    const int64_t number = worker.Below(kRecords);
    worker.CountWritten(stores->current().Set(worker.Put(number)).status());
  }
}

void ReadRandom(State& state) {
  Worker worker(state);
  for (auto _ : state) worker.Read(worker.Below(kRecords), true);
}

void ReadMissing(State& state) {
  Worker worker(state);
  for (auto _ : state) worker.Read(kRecords + worker.Below(kRecords), false);
}

void ReadHot(State& state) {
  Worker worker(state);
  for (auto _ : state) worker.Read(worker.Below(kHotRecords), true);
}

// Each thread keeps to keys of its own, so that no write is refused.
void Cas(State& state) {
  Worker worker(state);
  Store& store = stores->current();
  const int64_t keys = kRecords / state.threads();
  for (auto _ : state) {
    WriteOp op = worker.Put(state.thread_index() * keys + worker.Below(keys));
    const auto item = store.Get(op.key);
    if (!item.ok() || !item->has_value()) {
      state.SkipWithError("the item to change is not there");
      break;
    }
    op.precondition = Precondition::Match((*item)->etag);
    worker.CountWritten(store.Set(std::move(op)).status());
  }
}

std::vector<WriteOp> RandomPuts(Worker& worker, int count) {
  std::vector<WriteOp> ops;
  for (int i = 0; i < count; ++i) {
    ops.push_back(worker.Put(worker.Below(kRecords)));
  }
  return ops;
}

void Transact(State& state) {
  Worker worker(state);
  for (auto _ : state) {
    const auto etags =
        stores->current().Transact(RandomPuts(worker, kOpsPerTransaction));
    worker.CountWritten(etags.status(), kOpsPerTransaction);
  }
}

void Bulk100(State& state) {
  Worker worker(state);
  for (auto _ : state) {
    const auto results =
        stores->current().BulkWrite(RandomPuts(worker, kOpsPerBulk));
    for (const Store::WriteResult& result : results) {
      worker.CountWritten(result.status());
    }
  }
}

void RegisterAll() {
  struct Workload {
    const char* name;
    void (*run)(State&);
    void (*set_up)(const State&);
    int max_threads;
  };
  const Workload kWorkloads[] = {
      {"fillseq", FillSeq, UseEmpty, 16},
      {"fillrandom", FillRandom, UseEmpty, 16},
      {"overwrite", Overwrite, UseFilled, 16},
      {"readrandom", ReadRandom, UseFilled, 4},
      {"readmissing", ReadMissing, UseFilled, 4},
      {"readhot", ReadHot, UseFilled, 4},
      {"cas", Cas, UseFilled, 16},
      {"transact", Transact, UseFilled, 16},
      {"bulk100", Bulk100, UseFilled, 16},
  };
  for (const Workload& workload : kWorkloads) {
    auto* benchmark = benchmark::RegisterBenchmark(workload.name, workload.run);
    for (const int threads : {1, 4, 16}) {
      if (threads <= workload.max_threads) benchmark->Threads(threads);
    }
    benchmark->Setup(workload.set_up)
        ->ArgNames({"bytes", "sealed"})
        ->ArgsProduct({{128, 1 << 10, 16 << 10}, {0, 1}})
        // Writers wait for the disk, so CPU time would flatter them.
        ->UseRealTime();
  }
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  statecpp::Stores stores;
  statecpp::stores = &stores;
  benchmark::AddCustomContext("durability", "every write synced");
  benchmark::AddCustomContext("folder", stores.folder());
  statecpp::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
}
