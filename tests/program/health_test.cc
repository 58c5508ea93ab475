// SPDX-License-Identifier: Apache-2.0
//
// What probes, operators and daprd's discovery ask a server before anything
// else.
#include <grpcpp/support/sync_stream.h>
#include <signal.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr int kUnreachable = 6;

class HealthTest : public ServedStoreTest {
 protected:
  ProgramOptions HealthOptions(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"health", "--socket-folder",
                                          socket_folder()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return {.arguments = std::move(arguments)};
  }
};

TEST_F(HealthTest, OfARunningServerIsServing) {
  Serve();
  const Outcome outcome = RunToEnd(HealthOptions());
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, "SERVING\n");
  EXPECT_THAT(outcome.err, IsEmpty());
}

TEST_F(HealthTest, WithoutAServerSaysHowToStartOne) {
  const Outcome outcome = RunToEnd(HealthOptions());
  EXPECT_EQ(outcome.exit_code, kUnreachable);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr(socket_path()), HasSubstr("statecpp serve"),
                    HasSubstr("--socket-folder")));
}

TEST_F(HealthTest, OfAKilledServerIsAsIfThereWereNone) {
  Serve();
  Kill();
  const Outcome outcome = RunToEnd(HealthOptions());
  EXPECT_EQ(outcome.exit_code, kUnreachable);
  EXPECT_THAT(outcome.err, HasSubstr("statecpp serve"));
}

// Ctrl-C, which `serve` alone keeps for itself.
TEST_F(HealthTest, WaitingIsEndedByASignal) {
  Program program(HealthOptions({"--wait", "1h"}));
  const std::string threads =
      "/proc/" + std::to_string(program.pid()) + "/task";
  ASSERT_TRUE(AwaitTrue([&] {  // gRPC's, which it asks with
    const std::filesystem::directory_iterator each(threads);
    return std::distance(begin(each), end(each)) > 1;
  }));
  program.Signal(SIGINT);
  EXPECT_EQ(program.Wait(), 128 + SIGINT);
}

// The socket is there and the kernel connects; only an answer counts.
TEST_F(HealthTest, OfAServerThatDoesNotAnswerIsKnownSoon) {
  Serve();
  server().Signal(SIGSTOP);
  const absl::Time start = absl::Now();
  const Outcome outcome = RunToEnd(HealthOptions());
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  server().Signal(SIGCONT);
  EXPECT_EQ(outcome.exit_code, kUnreachable);
  EXPECT_THAT(outcome.err, HasSubstr("Deadline Exceeded"));
}

TEST_F(HealthTest, WaitsForAServerThatStartsLater) {
  Program health(HealthOptions({"--wait", "1m"}));
  Serve();
  EXPECT_EQ(health.Wait(), 0);
  EXPECT_EQ(health.out(), "SERVING\n");
}

TEST_F(HealthTest, WaitsAsLongAsItWasTold) {
  const absl::Time start = absl::Now();
  const Outcome outcome = RunToEnd(HealthOptions({"--wait", "300ms"}));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(300));
  EXPECT_EQ(outcome.exit_code, kUnreachable);
}

TEST_F(HealthTest, FindsTheSocketAsServeDoes) {
  Serve();
  for (const char* variable :
       {"DAPR_COMPONENTS_SOCKETS_FOLDER", "DAPR_COMPONENT_SOCKETS_FOLDER",
        "DAPR_COMPONENT_SOCKET_FOLDER"}) {
    const Outcome outcome =
        RunToEnd({.arguments = {"health"},
                  .environment = {variable + ("=" + socket_folder())}});
    EXPECT_EQ(outcome.exit_code, 0) << variable << outcome.err;
  }
}

// --- grpc.health.v1, which Kubernetes' probes speak.

TEST_F(HealthTest, TheServiceAnswersForTheServerAndTheStateStore) {
  Serve();
  Client client(socket_path());
  for (const char* service : {"", "dapr.proto.components.v1.StateStore"}) {
    const Reply<HealthCheckResponse> reply = client.Check(service);
    ASSERT_THAT(reply, Succeeds()) << service;
    EXPECT_EQ(reply.message.status(), HealthCheckResponse::SERVING);
  }
  for (const char* service :
       {"nonsense", "StateStore", "dapr.proto.components.v1.StateStore/Get"}) {
    EXPECT_THAT(client.Check(service),
                FailsWith(grpc::StatusCode::NOT_FOUND, testing::_));
  }
}

TEST_F(HealthTest, TheServiceDoesNotWatch) {
  Serve();
  Client client(socket_path());
  const auto health = grpc::health::v1::Health::NewStub(client.channel());
  const std::unique_ptr<grpc::ClientContext> context = client.NewContext();
  const auto stream = health->Watch(context.get(), HealthCheckRequest());
  HealthCheckResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_THAT(stream->Finish(),
              FailsWith(grpc::StatusCode::UNIMPLEMENTED, testing::_));
}

// No liveness probe may depend on a component's configuration.
TEST_F(HealthTest, DoesNotDependOnAnInstance) {
  Serve();
  Client client(socket_path());
  ASSERT_FALSE(client.Init({{"encryption", "nonsense"}}).status.ok());
  EXPECT_EQ(client.Check("").message.status(), HealthCheckResponse::SERVING);
  EXPECT_EQ(RunToEnd(HealthOptions()).exit_code, 0);
}

// --- Reflection, by which daprd tells a state store from other sockets.

TEST_F(HealthTest, ReflectionListsDaprsServicesHealthAndItself) {
  Serve();
  Client client(socket_path());
  namespace reflection = grpc::reflection::v1alpha;
  const auto stub = reflection::ServerReflection::NewStub(client.channel());
  const std::unique_ptr<grpc::ClientContext> context = client.NewContext();
  const auto stream = stub->ServerReflectionInfo(context.get());
  reflection::ServerReflectionRequest request;
  request.set_list_services("");
  ASSERT_TRUE(stream->Write(request));
  reflection::ServerReflectionResponse response;
  ASSERT_TRUE(stream->Read(&response));
  stream->WritesDone();
  EXPECT_THAT(stream->Finish(), Succeeds());

  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(
      names,
      UnorderedElementsAre(
          "dapr.proto.components.v1.StateStore",
          "dapr.proto.components.v1.TransactionalStateStore",
          "dapr.proto.components.v1.QueriableStateStore",
          "dapr.proto.components.v1.TransactionalStoreMultiMaxSize",
          "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"));
}

}  // namespace
}  // namespace statecpp
