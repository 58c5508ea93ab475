// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_BENCH_BENCH_STORE_H_
#define STATECPP_BENCH_BENCH_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "absl/status/status.h"
#include "crypto/master_key.h"
#include "engine/store.h"

namespace statecpp {

// How many records a workload finds.
constexpr int64_t kBenchRecords = 10'000;
constexpr int64_t kBenchDocuments = 100'000;

// Ends the program: a benchmark whose store cannot be set up has no result.
void MustBeOk(const absl::Status& status);

// The stores that workloads run on, below one folder that goes away with them:
// below $STATECPP_BENCH_DIR, or /tmp.
class BenchStores {
 public:
  // What is in a store at first.
  enum class Kind {
    kEmpty,      // nothing; a new one for every run
    kFilled,     // kBenchRecords, to which nothing is added
    kGrowing,    // the same, but that runs add to them
    kDocuments,  // kBenchDocuments of JSON, see BenchDocument
  };

  BenchStores();
  ~BenchStores();

  BenchStores(const BenchStores&) = delete;
  BenchStores& operator=(const BenchStores&) = delete;

  // Makes `current` such a store. All kinds but kEmpty are filled once, for all
  // runs with values of this size.
  void Use(Kind kind, int64_t value_bytes, bool sealed);

  Store& current() { return *current_; }
  const std::string& folder() const { return folder_; }

 private:
  std::shared_ptr<Store> Open(const std::string& path, bool sealed);

  std::string folder_;
  const std::shared_ptr<const MasterKeys> keys_;
  std::map<std::tuple<Kind, int64_t, bool>, std::shared_ptr<Store>> filled_;
  std::shared_ptr<Store> current_;
};

// An order of some 128 bytes: one in a hundred is of a given city, and amounts
// are all different.
std::string BenchDocument(int64_t number);

}  // namespace statecpp

#endif  // STATECPP_BENCH_BENCH_STORE_H_
