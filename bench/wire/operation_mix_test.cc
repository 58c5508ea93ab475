// SPDX-License-Identifier: Apache-2.0
#include "bench/wire/operation_mix.h"

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace statecpp::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::map<Operation, int> PartsOf(absl::string_view text) {
  const absl::StatusOr<OperationMix> mix = OperationMix::Parse(text);
  EXPECT_THAT(mix, IsOk());
  std::map<Operation, int> parts;
  for (uint64_t i = 0; i < mix->parts(); ++i) ++parts[mix->At(i)];
  return parts;
}

TEST(OperationMixTest, OneNameIsAllOfIt) {
  EXPECT_THAT(PartsOf("get"), UnorderedElementsAre(Pair(Operation::kGet, 1)));
}

TEST(OperationMixTest, EachOperationHasItsParts) {
  EXPECT_THAT(PartsOf("transact:2,get:9,ping,set:1,get:1,bulkget:3"),
              UnorderedElementsAre(
                  Pair(Operation::kTransact, 2), Pair(Operation::kGet, 10),
                  Pair(Operation::kPing, 1), Pair(Operation::kSet, 1),
                  Pair(Operation::kBulkGet, 3)));
}

TEST(OperationMixTest, WhatIsNoMixIsRefusedByName) {
  for (const char* text : {"", "gets", "get:", "get:0", "get:-1", "get:1:2",
                           "get,,set", "get:x", "get:1000001"}) {
    const absl::StatusOr<OperationMix> mix = OperationMix::Parse(text);
    EXPECT_EQ(mix.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(mix.status().message()), HasSubstr(text));
  }
}

}  // namespace
}  // namespace statecpp::wire
