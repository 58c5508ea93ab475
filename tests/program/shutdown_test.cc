// SPDX-License-Identifier: Apache-2.0
//
// How a server ends: nothing that was begun is lost, nothing that is left
// behind misleads daprd, and nobody waits for long.
#include <signal.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/held_store.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

using ::grpc::health::v1::HealthCheckResponse;
using ::testing::HasSubstr;
using ::testing::Not;

class ShutdownTest : public ServedStoreTest {
 protected:
  // Leaves the server with a call in hand, a Set of "a" to "1", which cannot be
  // answered before `held_` is released.
  void ServeWithACallInHand() {
    Serve();
    held_ = HoldUpCalls();
    client_ = std::make_unique<Client>(socket_path());
    ASSERT_THAT(client_->Ping(), Succeeds());
    set_ = client_->StartSet("a", "1");
    ASSERT_THAT(client_->Ping(), Succeeds());  // behind the Set
  }

  std::unique_ptr<HeldStore> held_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<PendingSet> set_;
};

TEST_F(ShutdownTest, SigtermTakesTheSocketAwayAndExitsWithZero) {
  Serve();
  Client idle(socket_path());
  ASSERT_THAT(idle.Ping(), Succeeds());
  server().Signal(SIGTERM);
  EXPECT_EQ(server().Wait(absl::Seconds(4)), 0);
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
  EXPECT_THAT(server().err(), HasSubstr("msg=\"stopped\""));
  EXPECT_THAT(idle.Ping(),
              FailsWith(grpc::StatusCode::UNAVAILABLE, testing::_));
}

TEST_F(ShutdownTest, AnInterruptFromTheKeyboardDoesTheSame) {
  Serve();
  server().Signal(SIGINT);
  EXPECT_EQ(server().Wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
}

TEST_F(ShutdownTest, ACallInHandIsFinished) {
  ServeWithACallInHand();
  server().Signal(SIGTERM);
  ASSERT_TRUE(server().AwaitLog("stopping"));
  held_->Release();
  EXPECT_THAT(set_->status(), Succeeds());
  EXPECT_EQ(server().Wait(), 0);

  Serve();
  EXPECT_EQ(Client(socket_path()).ValueOf("a"), "1");
}

// Also where the answer takes many writes.
TEST_F(ShutdownTest, ALargeAnswerIsSentToItsEnd) {
  const std::string value(4'000'000, 'v');
  Serve();
  Client(socket_path()).MustInit();
  ASSERT_THAT(Client(socket_path()).SetKey("a", value), Succeeds());
  held_ = HoldUpCalls();
  Client client(socket_path());
  const auto get = client.StartGet("a");
  ASSERT_THAT(client.Ping(), Succeeds());
  server().Signal(SIGTERM);
  ASSERT_TRUE(server().AwaitLog("stopping"));
  held_->Release();
  ASSERT_THAT(get->status(), Succeeds());
  EXPECT_EQ(get->message().data(), value);
  EXPECT_EQ(server().Wait(absl::Seconds(4)), 0);
}

TEST_F(ShutdownTest, ACallThatDoesNotEndHoldsItUpForSecondsOnly) {
  ServeWithACallInHand();
  server().Signal(SIGTERM);
  EXPECT_EQ(server().Wait(absl::Seconds(20)), 0);
  EXPECT_FALSE(set_->status().ok());
  EXPECT_THAT(server().err(), HasSubstr("ending without them"));
}

TEST_F(ShutdownTest, ASecondSignalDoesNotWait) {
  ServeWithACallInHand();
  server().Signal(SIGTERM);
  ASSERT_TRUE(server().AwaitLog("stopping"));
  server().Signal(SIGTERM);
  EXPECT_EQ(server().Wait(absl::Seconds(4)), 1);
  EXPECT_THAT(set_->status(),
              FailsWith(grpc::StatusCode::UNAVAILABLE, testing::_));
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
  EXPECT_THAT(server().err(), HasSubstr("without waiting"));
}

TEST_F(ShutdownTest, ASecondSignalEndsADrain) {
  Serve({"--drain-timeout", "1h"});
  Client client(socket_path());
  ASSERT_THAT(client.Ping(), Succeeds());
  server().Signal(SIGTERM);
  ASSERT_TRUE(server().AwaitLog("stopping"));
  ASSERT_THAT(client.Ping(), Succeeds());
  server().Signal(SIGINT);
  EXPECT_EQ(server().Wait(absl::Seconds(4)), 1);
}

// Whoever sees the socket may signal at once; it must not stay behind.
TEST_F(ShutdownTest, ASignalThatComesWithTheSocketTakesItAway) {
  std::filesystem::create_directory(socket_folder());
  for (int i = 0; i < 20; ++i) {
    Program program(ServeOptions());
    ASSERT_TRUE(
        AwaitTrue([this] { return std::filesystem::exists(socket_path()); }));
    program.Signal(SIGTERM);
    EXPECT_EQ(program.Wait(), 0);
    EXPECT_FALSE(std::filesystem::exists(socket_path()));
  }
}

// --- Draining: daprd's connection goes on until daprd itself has ended.

TEST_F(ShutdownTest, DrainingServesTheConnectionsThereAreAndNoOthers) {
  Serve({"--drain-timeout", "1h"});
  auto client = std::make_unique<Client>(socket_path());
  client->MustInit();
  const std::string hard_link = dir_.Path("same.sock");
  std::filesystem::create_hard_link(socket_path(), hard_link);

  server().Signal(SIGTERM);
  ASSERT_TRUE(server().AwaitLog("stopping"));
  ASSERT_TRUE(
      AwaitTrue([this] { return !std::filesystem::exists(socket_path()); }));
  EXPECT_THAT(client->SetKey("a", "1"), Succeeds());
  EXPECT_EQ(client->Check("").message.status(),
            HealthCheckResponse::NOT_SERVING);
  // Not even where the socket has another name yet.
  ASSERT_TRUE(AwaitTrue([&] { return !Client(hard_link).Ping().status.ok(); }));
  EXPECT_EQ(client->ValueOf("a"), "1");
  EXPECT_TRUE(server().running());

  client.reset();
  EXPECT_EQ(server().Wait(), 0);
}

TEST_F(ShutdownTest, DrainingEndsWithItsTime) {
  Serve({"--drain-timeout", "200ms"});
  Client client(socket_path());
  client.MustInit();
  const absl::Time start = absl::Now();
  server().Signal(SIGTERM);
  EXPECT_EQ(server().Wait(), 0);
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(200));
  EXPECT_LT(absl::Now() - start, absl::Seconds(4));
}

TEST_F(ShutdownTest, WithoutConnectionsThereIsNothingToDrain) {
  Serve({"--drain-timeout", "1h"});
  server().Signal(SIGTERM);
  EXPECT_EQ(server().Wait(), 0);
}

// --- The next one.

TEST_F(ShutdownTest, ANewServerTakesTheNameWhileTheOldOneDrains) {
  Serve({"--drain-timeout", "1h"});
  auto client = std::make_unique<Client>(socket_path());
  client->MustInit();
  Program next(ServeOptions({"--wait-lock", "1h"}));
  ASSERT_TRUE(next.AwaitLog("waiting"));
  server().Signal(SIGTERM);
  ASSERT_TRUE(server().AwaitLog("stopping"));
  ASSERT_THAT(client->SetKey("a", "1"), Succeeds());
  EXPECT_THAT(next.err(), Not(HasSubstr("ready: ")));

  client.reset();
  ASSERT_TRUE(next.AwaitLog("ready: "));
  EXPECT_EQ(server().Wait(), 0);
  EXPECT_EQ(Client(socket_path()).ValueOf("a"), "1");
}

}  // namespace
}  // namespace statecpp
