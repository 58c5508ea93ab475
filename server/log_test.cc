// SPDX-License-Identifier: Apache-2.0
//
// Lines of the log, as a collector finds them.
#include "server/log.h"

#include <grpc/support/log.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/grpc_log.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class LogTest : public ::testing::Test {
 protected:
  LogTest() { ::testing::internal::CaptureStderr(); }
  ~LogTest() override { SetLogFormat(LogFormat::kText, ""); }

  static std::string Written() {
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, ALineOfTextBeginsAsDaprsDo) {
  LogWarning("two\nlines, \"quoted\"", {{"component", "a b"}});
  EXPECT_THAT(Written(),
              MatchesRegex("time=\"[0-9-]+T[0-9:.]+Z\" level=warning "
                           "msg=\"two\\\\x0alines, \\\\\"quoted\\\\\"\" "
                           "scope=statecpp component=\"a b\"\n"));
}

TEST_F(LogTest, ALineOfJsonHasDaprsFieldsAndThenItsOwn) {
  SetLogFormat(LogFormat::kJson, "1.2.3");
  LogError("two\nlines", {{"ver", "1.2.3"}, {"component", "\"\xff"}});
  EXPECT_THAT(Written(),
              AllOf(StartsWith("{\"time\":\""),
                    HasSubstr("\",\"level\":\"error\",\"type\":\"log\",\"msg\":"
                              "\"two\\u000alines\",\"scope\":\"statecpp\","
                              "\"instance\":\""),
                    EndsWith("\"ver\":\"1.2.3\","
                             "\"component\":\"\\\"\xEF\xBF\xBD\"}\n")));
}

TEST_F(LogTest, WhatGrpcSaysStandsInIt) {
  TakeGrpcLog();
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);  // as it is once gRPC starts
  gpr_log("/build/grpc/src/core/a.cc", 17, GPR_LOG_SEVERITY_ERROR, "no %s",
          "\"room\"");
  EXPECT_THAT(Written(),
              AllOf(HasSubstr(R"(level=warning msg="gRPC: no \"room\"")"),
                    HasSubstr(R"(at="a.cc:17")")));
}

}  // namespace
}  // namespace statecpp
