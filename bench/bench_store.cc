// SPDX-License-Identifier: Apache-2.0
#include "bench/bench_store.h"

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bench/key_chooser.h"
#include "crypto/secret.h"
#include "engine/write.h"

namespace statecpp {
namespace {

std::shared_ptr<const MasterKeys> NewKeys() {
  auto keys = std::make_shared<MasterKeys>();
  keys->push_back(MasterKey::FromKey("bench", Secret::Random()));
  return keys;
}

void Fill(Store& store, int64_t records,
          const std::function<std::string(int64_t)>& value_of) {
  constexpr int64_t kBatch = 1000;
  for (int64_t first = 0; first < records; first += kBatch) {
    std::vector<WriteOp> ops;
    for (int64_t i = first; i < first + kBatch; ++i) {
      ops.push_back({.key = BenchKey(i), .value = value_of(i)});
    }
    MustBeOk(store.Transact(std::move(ops)).status());
  }
}

}  // namespace

void MustBeOk(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  std::exit(1);
}

std::string BenchDocument(int64_t number) {
  // Prime to the number of documents, so no two amounts are the same.
  const int64_t amount = number * 7919 % kBenchDocuments;
  return absl::StrCat(
      "{\"city\": \"city-", number % 100, "\", \"amount\": ", amount,
      ", \"customer\": {\"id\": ", number,
      ", \"name\": \"somebody\"}, \"note\": \"", std::string(48, 'n'), "\"}");
}

BenchStores::BenchStores() : keys_(NewKeys()) {
  const char* parent = std::getenv("STATECPP_BENCH_DIR");
  folder_ = absl::StrCat(parent == nullptr ? "/tmp" : parent,
                         "/statecpp-bench-XXXXXX");
  if (mkdtemp(folder_.data()) == nullptr) {
    std::cerr << "cannot make a folder like " << folder_
              << "; name one that exists in STATECPP_BENCH_DIR\n";
    std::exit(1);
  }
}

BenchStores::~BenchStores() {
  current_.reset();
  filled_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void BenchStores::Use(Kind kind, int64_t value_bytes, bool sealed) {
  current_.reset();
  if (kind == Kind::kEmpty) {
    const std::string path = absl::StrCat(folder_, "/empty");
    std::filesystem::remove_all(path);
    current_ = Open(path, sealed);
    return;
  }
  std::shared_ptr<Store>& store = filled_[{kind, value_bytes, sealed}];
  if (store == nullptr) {
    store = Open(absl::StrCat(folder_, "/", static_cast<int>(kind), "-",
                              value_bytes, "-", sealed),
                 sealed);
    if (kind == Kind::kDocuments) {
      Fill(*store, kBenchDocuments, BenchDocument);
    } else {
      Fill(*store, kBenchRecords, [value_bytes](int64_t) {
        return std::string(static_cast<size_t>(value_bytes), 'v');
      });
    }
  }
  current_ = store;
}

std::shared_ptr<Store> BenchStores::Open(const std::string& path, bool sealed) {
  absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open({.path = path,
                   .keys = sealed ? keys_ : nullptr,
                   .cleanup_interval = absl::ZeroDuration()});
  MustBeOk(store.status());
  return *std::move(store);
}

}  // namespace statecpp
