// SPDX-License-Identifier: Apache-2.0
#include "server/rpc_loop.h"

#include <grpc/support/time.h>

#include <utility>

namespace statecpp {

RpcLoop::RpcLoop(std::unique_ptr<grpc::ServerCompletionQueue> queue,
                 absl::AnyInvocable<void()> on_tick)
    : queue_(std::move(queue)), on_tick_(std::move(on_tick)) {}

RpcLoop::~RpcLoop() { Drain(); }

void RpcLoop::Start(absl::AnyInvocable<void()> arm) {
  thread_ = std::thread([this, arm = std::move(arm)]() mutable {
    thread_id_ = std::this_thread::get_id();
    arm();
    SetClock();
    Run();
  });
}

void RpcLoop::Join() {
  if (thread_.joinable()) thread_.join();
}

void RpcLoop::Drain() {
  if (std::exchange(drained_, true)) return;
  clock_alarm_.Cancel();  // the queue would wait for it
  queue_->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
  }
}

void RpcLoop::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (calls_ > 0 && queue_->Next(&tag, &ok)) {
    static_cast<Event*>(tag)->Proceed(ok);
  }
}

void RpcLoop::Post(absl::AnyInvocable<void()> task) {
  if (std::this_thread::get_id() == thread_id_.load()) return task();
  absl::MutexLock lock(&mutex_);
  posted_.push_back(std::move(task));
  // The first one sets the alarm; those that follow until it has gone off are
  // run by it as well.
  if (posted_.size() == 1) {
    // Long ago, not now: gRPC rounds times up to whole milliseconds.
    alarm_.Set(queue_.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC),
               static_cast<Event*>(&wake_));
  }
}

void RpcLoop::SetClock() {
  const gpr_timespec next = gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_millis(absl::ToInt64Milliseconds(kTick), GPR_TIMESPAN));
  clock_alarm_.Set(queue_.get(), next, static_cast<Event*>(&clock_));
}

void RpcLoop::Clock::Proceed(bool ok) {
  if (!ok) return;
  loop_.calls_in_hand_.Tick();
  if (loop_.on_tick_ != nullptr) loop_.on_tick_();
  loop_.SetClock();
}

void RpcLoop::Wake::Proceed(bool) { loop_.RunPosted(); }

void RpcLoop::RunPosted() {
  std::vector<absl::AnyInvocable<void()>> tasks;
  {
    absl::MutexLock lock(&mutex_);
    tasks.swap(posted_);
  }
  for (absl::AnyInvocable<void()>& task : tasks) task();
}

}  // namespace statecpp
