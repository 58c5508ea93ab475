// SPDX-License-Identifier: Apache-2.0
//
// YCSB's core workloads (Cooper et al., "Benchmarking Cloud Serving Systems
// with YCSB", SoCC 2010): the shares of their operations and how they choose
// keys. Records are those of this benchmark, not ten fields of 100 bytes.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "bench/workload.h"

namespace statecpp {
namespace {

using ::benchmark::State;

constexpr int64_t kLongestScan = 100;

// In a hundred operations; what is left of them inserts.
struct Shares {
  int read = 0;
  int update = 0;
  int scan = 0;
  int read_and_write = 0;
  // Those inserted last are the popular ones.
  bool latest = false;
};

constexpr Shares kA = {.read = 50, .update = 50};
constexpr Shares kB = {.read = 95, .update = 5};
constexpr Shares kC = {.read = 100};
constexpr Shares kD = {.read = 95, .latest = true};
constexpr Shares kE = {.scan = 95};
constexpr Shares kF = {.read = 50, .read_and_write = 50};

// The records that one thread of a run adds. Those of an earlier run, which
// have the same numbers, it overwrites.
class Inserted {
 public:
  explicit Inserted(State& state)
      : first_((int64_t{1} << 40) + (int64_t{state.thread_index()} << 32)) {}

  void Insert(Worker& worker) { worker.Write(first_ + count_++); }

  // The number of the record that came `age` insertions ago, of this thread's
  // and of those that were there before.
  int64_t Latest(int64_t age) const {
    return age < count_ ? first_ + count_ - 1 - age
                        : kBenchRecords - 1 - (age - count_);
  }

 private:
  const int64_t first_;
  int64_t count_ = 0;
};

// The store has no order of keys to scan in; Dapr's way to read many is a bulk
// read, here of neighbours.
void Scan(Worker& worker, int64_t first) {
  const int64_t last =
      std::min(first + 1 + worker.Below(kLongestScan), kBenchRecords);
  std::vector<std::string> keys;
  for (int64_t i = first; i < last; ++i) keys.push_back(BenchKey(i));
  const std::vector<absl::string_view> views(keys.begin(), keys.end());
  const auto items = StoreOfRun().BulkGet(views);
  worker.Count(items.status(), last - first);
}

template <const Shares& kShares>
void Run(State& state) {
  Worker worker(state);
  Inserted inserted(state);
  ZipfianChooser popular(kBenchRecords);
  for (auto _ : state) {
    const int64_t rank = popular.Next(worker.random());
    const int64_t number = kShares.latest ? inserted.Latest(rank) : rank;
    int64_t choice = worker.Below(100);
    if (choice < kShares.read) {
      worker.Read(number);
    } else if ((choice -= kShares.read) < kShares.update) {
      worker.Write(number);
    } else if ((choice -= kShares.update) < kShares.scan) {
      Scan(worker, number);
    } else if ((choice -= kShares.scan) < kShares.read_and_write) {
      worker.ReadAndWrite(number);
    } else {
      inserted.Insert(worker);
    }
  }
}

}  // namespace

std::vector<Workload> YcsbWorkloads() {
  using Kind = BenchStores::Kind;
  return {
      {"ycsb_a", Run<kA>, Kind::kFilled, 64},
      {"ycsb_b", Run<kB>, Kind::kFilled, 64},
      {"ycsb_c", Run<kC>, Kind::kFilled, 64},
      {"ycsb_d", Run<kD>, Kind::kGrowing, 64},
      {"ycsb_e", Run<kE>, Kind::kGrowing, 64},
      {"ycsb_f", Run<kF>, Kind::kFilled, 64},
  };
}

}  // namespace statecpp
