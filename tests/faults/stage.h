// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_FAULTS_STAGE_H_
#define STATECPP_TESTS_FAULTS_STAGE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/store.h"
#include "tests/faults/run_record.h"
#include "tests/support/fake_clock.h"

namespace statecpp {

// Where an operation runs: a store in a folder of its own, and the record of
// what it answers. Of one process, which ends with it.
class Stage {
 public:
  // An answer that the record is given instead of the store's.
  enum class Sabotage {
    kNone,
    kSayYes,       // OK, where the store says that nothing was written
    kSayNo,        // that nothing was written, where the store says OK
    kHideStop,     // that the store did not stop
    kRepeatETags,  // one ETag for all writes
  };

  Stage(std::string folder, RunRecord& record, Sabotage sabotage)
      : folder_(std::move(folder)), record_(record), sabotage_(sabotage) {}

  const std::string& folder() const { return folder_; }
  std::string path() const { return folder_ + "/store"; }
  FakeClock& clock() { return clock_; }

  // Opens the store with the keys of this run of the test, or without.
  absl::Status Open(bool create = false);
  Store& store() { return *store_; }
  bool is_open() const { return store_ != nullptr; }
  void Close() { store_ = nullptr; }

  // The operation's answer. `maybe` says which codes but UNKNOWN leave it open.
  void Say(const absl::Status& status, bool maybe_on_error = false);
  // Of one write, before that.
  void SayOf(const std::string& key, const absl::StatusOr<ETag>& etag);
  // Of a transaction of these writes, and the operation's.
  void SayOf(const std::vector<WriteOp>& ops,
             const absl::StatusOr<std::vector<ETag>>& etags);

 private:
  const std::string folder_;
  RunRecord& record_;
  const Sabotage sabotage_;
  FakeClock clock_;
  std::unique_ptr<Store> store_;
};

// Something that is done to a store, of which every call is failed.
struct Operation {
  enum class Leaves {
    kWhole,  // all of it or nothing
    kEach,   // some of it, where it is not answered with OK
  };
  enum class Stores { kAll, kPlain, kSealed };

  std::string name = "";
  Leaves leaves = Leaves::kWhole;
  Stores stores = Stores::kAll;
  // Whether `run` opens the store itself, or works on a closed one.
  bool opens = false;
  // It cannot do with fewer calls.
  uint64_t least_calls = 1;

  // Makes the store that each run begins with; null: there is none.
  std::function<absl::Status(Stage&)> prepare = nullptr;
  // Changes the folder before each run; of an operation that opens.
  std::function<void(Stage&)> arrange = nullptr;
  // Does it and tells the stage the answer. Once more after it failed, it
  // succeeds.
  std::function<void(Stage&)> run = nullptr;
};

// Makes a store of a few items, and leaves it open.
absl::Status FillStore(Stage& stage);

// All that there are, in both kinds of stores.
std::vector<Operation> StoreOperations();
std::vector<Operation> KeyOperations();
std::vector<Operation> FolderOperations();

}  // namespace statecpp

#endif  // STATECPP_TESTS_FAULTS_STAGE_H_
