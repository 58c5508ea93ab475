// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_BENCH_WIRE_LOAD_H_
#define STATECPP_BENCH_WIRE_LOAD_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/key_chooser.h"
#include "bench/latencies.h"
#include "bench/wire/call_slot.h"
#include "bench/wire/operation_mix.h"

namespace statecpp::wire {

// Calls to a state store's socket, over some connections, from one thread.
//
//   Load load(socket, /*connections=*/1, shape);
//   load.Configure("required");
//   load.FillKeys();
//   LoadResult result = load.RunClosed(mix, {.seconds = 1}, /*in_flight=*/64);
//
// Ends the process when a call fails: a figure that counts failures is none.
class Load {
 public:
  struct Bounds {
    double seconds = 1;
    int64_t calls = INT64_MAX;
  };

  struct Result {
    Latencies latencies;
    double seconds = 0;
    // Of an open load: how many calls waited for others at most, beyond those
    // that may be under way.
    size_t backlog = 0;
  };

  Load(const std::string& socket, int connections, CallShape shape);
  ~Load();

  // Init, as daprd does it, with `encryption` as the component's.
  void Configure(const std::string& encryption);

  // Sets every key, in bulks.
  void FillKeys();

  // A closed loop: so many calls under way, the next one begun when one ends,
  // and its time from then on. A slow server is asked less.
  Result RunClosed(const OperationMix& mix, const Bounds& bounds,
                   int in_flight);

  // An open loop: a call is due every 1/rate seconds, whatever became of those
  // before it, and its time counts from when it was due, so that what waits
  // behind a slow call is slow, too (no "coordinated omission"). The thread
  // looks for calls that are due about every 50 us.
  Result RunOpen(const OperationMix& mix, const Bounds& bounds, double rate);

 private:
  using Clock = std::chrono::steady_clock;

  CallSlot& FreeSlot();
  void Begin(const OperationMix& mix, Clock::time_point since);
  // Takes note of a call that has ended.
  void End(CallSlot& slot, Result& result);

  const CallShape shape_;
  grpc::CompletionQueue queue_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::unique_ptr<CallSlot>> slots_;
  std::vector<CallSlot*> free_;
  BenchRandom random_{1};
};

}  // namespace statecpp::wire

#endif  // STATECPP_BENCH_WIRE_LOAD_H_
