// SPDX-License-Identifier: Apache-2.0
//
// What is said of a socket whose server lists its services, as every server of
// this process does; the rest is in tests/program/doctor_socket_test.
#include "cli/socket_checks.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/finding.h"
#include "cli/socket_surroundings.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;

class SocketChecksTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  }

  std::unique_ptr<grpc::Server> ServeHealth(const std::string& name) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("unix:", dir_.Path(name)),
                             grpc::InsecureServerCredentials());
    builder.RegisterService(&health_);
    return builder.BuildAndStart();
  }

  const TempDir dir_;
  grpc::health::v1::Health::Service health_;
  const SocketSurroundings around_ = {
      .folder = {.path = dir_.path(), .source = "test", .warning = ""}};
};

TEST_F(SocketChecksTest, AComponentOfAnotherKindInOurPlaceIsAFault) {
  const std::unique_ptr<grpc::Server> server = ServeHealth("cpp.sock");
  ASSERT_NE(server, nullptr);
  const Findings findings = CheckOwnSocket(around_);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].level, Finding::Level::kFault);
  EXPECT_EQ(findings[0].kind, "socket-no-store");
  EXPECT_THAT(findings[0].text, HasSubstr("is no state store; it has: grpc."));
  EXPECT_EQ(findings[0].fix, absl::StrCat("kill ", getpid()));
}

TEST_F(SocketChecksTest, AComponentOfAnotherKindInItsOwnPlaceIsWell) {
  const std::unique_ptr<grpc::Server> server = ServeHealth("pubsub.sock");
  ASSERT_NE(server, nullptr);
  const Findings findings = CheckOtherSockets(around_);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].level, Finding::Level::kOk);
  EXPECT_EQ(findings[0].text, "a component of another kind");
}

}  // namespace
}  // namespace statecpp
