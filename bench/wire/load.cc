// SPDX-License-Identifier: Apache-2.0
#include "bench/wire/load.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

namespace statecpp::wire {
namespace {

using Seconds = std::chrono::duration<double>;

// Calls under way in an open loop; further ones wait, and their time runs.
constexpr size_t kMostUnderWay = 1024;
constexpr std::chrono::microseconds kLook{50};
// Of the values in one bulk.
constexpr size_t kBulkBytes = size_t{4} << 20;

void MustBeOk(const char* what, const grpc::Status& status) {
  if (status.ok()) return;
  fprintf(stderr, "%s failed: %s\n", what, status.error_message().c_str());
  // At once: calls under way refer to what a proper end would destroy.
  _Exit(1);
}

std::chrono::steady_clock::duration Ticks(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      Seconds(seconds));
}

}  // namespace

Load::Load(const std::string& socket, int connections, CallShape shape)
    : shape_(std::move(shape)) {
  // A sleep of 50 us takes that long, not twice.
  prctl(PR_SET_TIMERSLACK, 1000);
  for (int i = 0; i < connections; ++i) {
    grpc::ChannelArguments arguments;
    // Without it, channels to one address share one connection.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channels_.push_back(grpc::CreateCustomChannel(
        "unix://" + socket, grpc::InsecureChannelCredentials(), arguments));
  }
}

Load::~Load() = default;

void Load::Configure(const std::string& encryption) {
  grpc::ClientContext context;
  NameInstance(shape_, context);
  proto::InitRequest request;
  (*request.mutable_metadata()->mutable_properties())["encryption"] =
      encryption;
  proto::InitResponse response;
  MustBeOk("Init", proto::StateStore::NewStub(channels_.front())
                       ->Init(&context, request, &response));
}

void Load::FillKeys() {
  const auto stub = proto::StateStore::NewStub(channels_.front());
  const auto bulk =
      static_cast<int64_t>(kBulkBytes / (shape_.value_bytes + 512)) + 1;
  for (int64_t first = 0; first < shape_.keys; first += bulk) {
    proto::BulkSetRequest request;
    for (int64_t i = first; i < std::min(first + bulk, shape_.keys); ++i) {
      proto::SetRequest* item = request.add_items();
      item->set_key(BenchKey(i));
      item->mutable_value()->assign(shape_.value_bytes, 'v');
    }
    grpc::ClientContext context;
    NameInstance(shape_, context);
    proto::BulkSetResponse response;
    MustBeOk("BulkSet", stub->BulkSet(&context, request, &response));
  }
}

CallSlot& Load::FreeSlot() {
  if (free_.empty()) {
    slots_.push_back(std::make_unique<CallSlot>(
        shape_, channels_[slots_.size() % channels_.size()], queue_));
    return *slots_.back();
  }
  CallSlot* slot = free_.back();
  free_.pop_back();
  return *slot;
}

void Load::Begin(const OperationMix& mix, Clock::time_point since) {
  const Operation operation = mix.At(random_() % mix.parts());
  FreeSlot().Begin(operation, random_, since);
}

void Load::End(CallSlot& slot, Result& result) {
  MustBeOk(kOperationNames[static_cast<size_t>(slot.operation())],
           slot.status());
  result.latencies.Add(std::chrono::duration_cast<std::chrono::nanoseconds>(
                           Clock::now() - slot.since())
                           .count());
  free_.push_back(&slot);
}

Load::Result Load::RunClosed(const OperationMix& mix, const Bounds& bounds,
                             int in_flight) {
  Result result;
  const Clock::time_point start = Clock::now();
  const Clock::time_point end = start + Ticks(bounds.seconds);
  int64_t begun = 0;
  int64_t open = 0;
  for (; open < in_flight && begun < bounds.calls; ++open, ++begun) {
    Begin(mix, Clock::now());
  }
  while (open > 0) {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    End(*static_cast<CallSlot*>(tag), result);
    const Clock::time_point now = Clock::now();
    if (now < end && begun < bounds.calls) {
      Begin(mix, now);
      ++begun;
    } else {
      --open;
    }
  }
  result.seconds = Seconds(Clock::now() - start).count();
  return result;
}

Load::Result Load::RunOpen(const OperationMix& mix, const Bounds& bounds,
                           double rate) {
  Result result;
  const Clock::time_point start = Clock::now();
  const auto calls =
      std::min(bounds.calls, static_cast<int64_t>(bounds.seconds * rate));
  int64_t begun = 0;
  int64_t ended = 0;
  while (ended < calls) {
    const double now = Seconds(Clock::now() - start).count();
    const int64_t due = std::min(calls, static_cast<int64_t>(now * rate) + 1);
    while (begun < due && begun - ended < static_cast<int64_t>(kMostUnderWay)) {
      Begin(mix, start + Ticks(static_cast<double>(begun++) / rate));
    }
    result.backlog = std::max(result.backlog, static_cast<size_t>(due - begun));
    void* tag = nullptr;
    bool ok = false;
    const auto next =
        queue_.AsyncNext(&tag, &ok, gpr_time_0(GPR_CLOCK_REALTIME));
    if (next == grpc::CompletionQueue::GOT_EVENT) {
      End(*static_cast<CallSlot*>(tag), result);
      ++ended;
    } else {
      std::this_thread::sleep_for(kLook);
    }
  }
  result.seconds = Seconds(Clock::now() - start).count();
  return result;
}

}  // namespace statecpp::wire
