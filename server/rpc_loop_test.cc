// SPDX-License-Identifier: Apache-2.0
//
// What handlers may rely on when they answer from other threads.
#include "server/rpc_loop.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

// A loop with one call in hand, so that it runs until Answer().
class RpcLoopTest : public ::testing::Test {
 protected:
  RpcLoopTest() {
    loop_ = std::make_unique<RpcLoop>(builder_.AddCompletionQueue());
    server_ = builder_.BuildAndStart();
    loop_->Start([this] {
      loop_thread_ = std::this_thread::get_id();
      loop_->CountIn();
    });
  }

  ~RpcLoopTest() override {
    loop_->Post([this] { loop_->CountOut(); });
    loop_->Join();
    server_->Shutdown();
    loop_->Drain();
  }

  // Waits until everything posted so far was run.
  void Flush() {
    absl::Notification reached;
    loop_->Post([&] { reached.Notify(); });
    reached.WaitForNotification();
  }

  grpc::ServerBuilder builder_;
  std::unique_ptr<RpcLoop> loop_;
  std::unique_ptr<grpc::Server> server_;
  std::thread::id loop_thread_;
};

TEST_F(RpcLoopTest, TasksRunOnTheLoopsThreadEachOnceAndInOrder) {
  constexpr int kThreads = 8;
  constexpr int kTasks = 2000;
  // Touched by the loop's thread alone.
  std::vector<std::vector<int>> seen(kThreads);
  int elsewhere = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < kTasks; ++j) {
        loop_->Post([&, i, j] {
          elsewhere += std::this_thread::get_id() != loop_thread_;
          seen[i].push_back(j);
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Flush();
  EXPECT_EQ(elsewhere, 0);
  std::vector<int> all(kTasks);
  for (int j = 0; j < kTasks; ++j) all[j] = j;
  for (const std::vector<int>& tasks : seen) EXPECT_EQ(tasks, all);
}

TEST_F(RpcLoopTest, ATaskThatTheLoopPostsRunsAtOnce) {
  std::vector<int> order;
  loop_->Post([&] {
    loop_->Post([&] { order.push_back(1); });
    order.push_back(2);
  });
  Flush();
  EXPECT_THAT(order, testing::ElementsAre(1, 2));
}

// The first task sets an alarm for those that follow; one that comes just when
// the alarm has gone off must not be left lying.
TEST_F(RpcLoopTest, NoTaskIsLeftBehind) {
  for (int i = 0; i < 5000; ++i) Flush();
}

}  // namespace
}  // namespace statecpp
