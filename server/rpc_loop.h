// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_RPC_LOOP_H_
#define STATECPP_SERVER_RPC_LOOP_H_

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/calls_in_hand.h"

namespace statecpp {

// One completion queue and the one thread that polls it. All calls of the
// server begin and end on this thread, and those that need neither disk nor
// time are answered on it in between.
//
//   RpcLoop loop(builder.AddCompletionQueue());
//   std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
//   loop.Start([&] { service.Arm(loop); });
//   ...
//   server->Shutdown(deadline);   // the loop must still run
//   loop.Join();
//   loop.Drain();                 // the server must still be there
//
// One thread, because one connection is one HTTP/2 transport under one lock: a
// second poller adds wake-ups and hand-overs, not work done (docs/impl.md has
// the figures).
class RpcLoop {
 public:
  // What the completion queue hands back. `ok` is gRPC's: false means that what
  // was asked for will not happen.
  class Event {
   public:
    virtual void Proceed(bool ok) = 0;

   protected:
    ~Event() = default;
  };

  // How often it looks for replies that nobody reads.
  static constexpr absl::Duration kTick = absl::Seconds(10);

  // Calls `on_tick`, if there is one, as often, on its thread.
  explicit RpcLoop(std::unique_ptr<grpc::ServerCompletionQueue> queue,
                   absl::AnyInvocable<void()> on_tick = nullptr);

  // Join has been called, or Start never.
  ~RpcLoop();

  // Starts the thread, which calls `arm` first: the server runs, and calls may
  // be asked for.
  void Start(absl::AnyInvocable<void()> arm);

  // Waits until every call that was asked for has come back, which the server's
  // shutdown brings about. Nothing may be posted from then on.
  void Join();

  // Takes out of the queue what gRPC put there for itself, behind the server's
  // shutdown. It refers to the server, which must not be gone before.
  void Drain();

  // Runs `task` on the loop's thread: at once if this is it, else as soon as
  // the thread gets to it. What several threads post while it is busy costs one
  // wake-up together.
  void Post(absl::AnyInvocable<void()> task) ABSL_LOCKS_EXCLUDED(mutex_);

  grpc::ServerCompletionQueue* queue() { return queue_.get(); }

  // Calls of a service count themselves in and out, on the loop's thread.
  void CountIn() { ++calls_; }
  void CountOut() { --calls_; }

  // For the loop's thread.
  CallsInHand& calls_in_hand() { return calls_in_hand_; }

 private:
  class Clock final : public Event {
   public:
    explicit Clock(RpcLoop& loop) : loop_(loop) {}
    void Proceed(bool ok) override;

   private:
    RpcLoop& loop_;
  };

  // Wakes the thread for what was posted.
  class Wake final : public Event {
   public:
    explicit Wake(RpcLoop& loop) : loop_(loop) {}
    void Proceed(bool ok) override;

   private:
    RpcLoop& loop_;
  };

  void Run();
  void SetClock();
  void RunPosted() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  Wake wake_{*this};
  Clock clock_{*this};
  grpc::Alarm clock_alarm_;
  absl::AnyInvocable<void()> on_tick_;
  CallsInHand calls_in_hand_{CallsInHand::Limits()};
  int calls_ = 0;
  bool drained_ = false;
  std::thread thread_;
  // Of thread_; read by others while that is still being assigned.
  std::atomic<std::thread::id> thread_id_;

  absl::Mutex mutex_;
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::AnyInvocable<void()>> posted_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_RPC_LOOP_H_
