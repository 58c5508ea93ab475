// SPDX-License-Identifier: Apache-2.0
#include "server/call_log.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::IsEmpty;

constexpr char kParent[] =
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr char kId[] = "0af7651916cd43dd8448eb211c80319c";

TEST(TraceIdTest, StandsInATraceParent) {
  EXPECT_EQ(TraceIdOf(kParent), kId);
  EXPECT_EQ(TraceIdOf(std::string("cc") + (kParent + 2) + "-later"), kId)
      << "of a later version";
}

// It is written to the log, where a line more or a quote would be an event
// that never was.
TEST(TraceIdTest, IsEmptyWhereTheTextIsNone) {
  const std::string parent = kParent;
  for (const std::string& text :
       {std::string(), parent.substr(0, 54), "ff" + parent.substr(2),
        "00-0AF7651916CD43DD8448EB211C80319C" + parent.substr(35),
        "00-" + std::string(32, '0') + parent.substr(35),
        "00-0af7651916cd43dd\n448eb211c80319c" + parent.substr(35),
        std::string(55, '"')}) {
    EXPECT_THAT(TraceIdOf(text), IsEmpty()) << text;
  }
}

TEST(TraceIdTest, IsReadFromGrpcsBinaryForm) {
  std::string bytes = {0, 0};
  for (char i = 1; i <= 16; ++i) bytes.push_back(i);
  bytes.push_back(1);
  for (char i = 1; i <= 8; ++i) bytes.push_back(i);
  bytes += {2, 1};
  EXPECT_EQ(TraceParentFromBinary(bytes),
            "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-01");
  EXPECT_EQ(TraceIdOf(TraceParentFromBinary(bytes)),
            "0102030405060708090a0b0c0d0e0f10");
  EXPECT_THAT(TraceParentFromBinary(bytes.substr(0, 28)), IsEmpty());
  EXPECT_THAT(TraceParentFromBinary(kParent), IsEmpty());
}

TEST(CallLogTest, CallsSlowWhatTakesAsLongAsItSays) {
  WorkerPool workers(1);
  const CallLog log(absl::Milliseconds(5), workers);
  EXPECT_FALSE(log.IsSlow(4'999'999));
  EXPECT_TRUE(log.IsSlow(5'000'000));
  EXPECT_FALSE(CallLog(absl::ZeroDuration(), workers).IsSlow(1e12)) << "off";
}

}  // namespace
}  // namespace statecpp
