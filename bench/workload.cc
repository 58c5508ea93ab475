// SPDX-License-Identifier: Apache-2.0
#include "bench/workload.h"

#include <utility>

#include "absl/status/status.h"
#include "engine/write.h"

namespace statecpp {
namespace {

BenchStores* stores_of_runs = nullptr;

}  // namespace

using ::benchmark::State;

void RunOn(BenchStores& stores) { stores_of_runs = &stores; }

Store& StoreOfRun() { return stores_of_runs->current(); }

Worker::Worker(State& state)
    : state_(state),
      value_(static_cast<size_t>(state.range(0)), 'w'),
      random_(static_cast<uint64_t>(state.thread_index()) + 1) {}

Worker::~Worker() {
  state_.SetItemsProcessed(records_);
  // A read that finds nothing moves no bytes.
  if (bytes_ > 0) state_.SetBytesProcessed(bytes_);
}

void Worker::Write(int64_t number) {
  Count(StoreOfRun().Set(Put(number)).status());
}

void Worker::Read(int64_t number, bool expected) {
  const auto item = StoreOfRun().Get(BenchKey(number));
  if (!item.ok() || item->has_value() != expected) {
    state_.SkipWithError("a read failed, or found what it should not");
    return;
  }
  ++records_;
  if (expected) bytes_ += state_.range(0);
}

void Worker::ReadAndWrite(int64_t number) {
  absl::Status written;
  do {
    WriteOp op = Put(number);
    const auto item = StoreOfRun().Get(op.key);
    if (!item.ok() || !item->has_value()) {
      state_.SkipWithError("the item to change is not there");
      return;
    }
    op.precondition = Precondition::Match((*item)->etag);
    written = StoreOfRun().Set(std::move(op)).status();
  } while (absl::IsFailedPrecondition(written));
  Count(written);
}

void Worker::Count(const absl::Status& status, int64_t records) {
  if (status.ok()) {
    records_ += records;
    bytes_ += records * state_.range(0);
  } else {
    state_.SkipWithError(status.ToString().c_str());
  }
}

}  // namespace statecpp
