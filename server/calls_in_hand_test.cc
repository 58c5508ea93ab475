// SPDX-License-Identifier: Apache-2.0
#include "server/calls_in_hand.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::StatusCode kExhausted = absl::StatusCode::kResourceExhausted;

class CallsInHandTest : public ::testing::Test {
 protected:
  class NamedCall final : public CallsInHand::Call {
   public:
    NamedCall(std::string name, std::vector<std::string>& given_up)
        : name_(std::move(name)), given_up_(given_up) {}

   private:
    void GiveUp() override { given_up_.push_back(name_); }

    const std::string name_;
    std::vector<std::string>& given_up_;
  };

  NamedCall& New(const std::string& name = "") {
    return made_.emplace_back(name, given_up_);
  }
  // One that waits for its reader.
  NamedCall& Answered(const std::string& name, size_t bytes = 0) {
    NamedCall& call = New(name);
    EXPECT_THAT(calls_.TakeUp(call, 0), IsOk());
    EXPECT_THAT(calls_.Answer(call, bytes), IsOk());
    return call;
  }

  std::vector<std::string> given_up_;
  std::deque<NamedCall> made_;
  CallsInHand calls_{{.calls = 3, .bytes = 100'000, .ticks = 2}};
};

TEST_F(CallsInHandTest, ThereMayBeAsManyAsTheLimitAndNotOneMore) {
  NamedCall& first = New();
  EXPECT_THAT(calls_.TakeUp(first, 1), IsOk());
  EXPECT_THAT(calls_.TakeUp(New(), 1), IsOk());
  EXPECT_THAT(calls_.TakeUp(New(), 1), IsOk());
  NamedCall& one_more = New();
  EXPECT_THAT(calls_.TakeUp(one_more, 1),
              StatusIs(kExhausted, AllOf(HasSubstr("all of the 3 calls"),
                                         HasSubstr("nothing was read or"))));
  EXPECT_EQ(calls_.calls(), 3);
  EXPECT_EQ(calls_.bytes(), 3);
  // It is answered and ends as any other, and counts for nothing.
  EXPECT_THAT(calls_.Answer(one_more, 0), IsOk());
  calls_.LetGo(one_more);
  EXPECT_EQ(calls_.calls(), 3);
  calls_.LetGo(first);
  EXPECT_THAT(calls_.TakeUp(New(), 1), IsOk());
}

TEST_F(CallsInHandTest, RequestsMayHaveAsManyBytesAsTheLimitAndNotOneMore) {
  NamedCall& large = New();
  EXPECT_THAT(calls_.TakeUp(New(), 40'000), IsOk());
  EXPECT_THAT(calls_.TakeUp(large, 60'001),
              StatusIs(kExhausted, AllOf(HasSubstr("40000 bytes of the 100000"),
                                         HasSubstr("nothing was read or"))));
  EXPECT_THAT(calls_.TakeUp(large, 60'000), IsOk());
  EXPECT_THAT(calls_.TakeUp(New(), 1), HasCode(kExhausted));
  EXPECT_EQ(calls_.bytes(), 100'000);
  // Its request is not needed any more when it is answered.
  EXPECT_THAT(calls_.Answer(large, 0), IsOk());
  EXPECT_EQ(calls_.bytes(), 40'000);
  EXPECT_THAT(calls_.TakeUp(New(), 60'000), IsOk());
}

TEST_F(CallsInHandTest, RepliesMayHaveAsManyBytesAsTheLimitAndNotOneMore) {
  NamedCall& unread = Answered("unread", 40'000);
  NamedCall& next = New();
  ASSERT_THAT(calls_.TakeUp(next, 0), IsOk());
  EXPECT_THAT(calls_.Answer(next, 60'001),
              StatusIs(kExhausted, AllOf(HasSubstr("40000 bytes of the 100000"),
                                         HasSubstr("not read yet"))));
  calls_.LetGo(next);
  EXPECT_EQ(calls_.bytes(), 40'000);
  Answered("fits", 60'000);
  EXPECT_EQ(calls_.bytes(), 100'000);
  // What is no larger than the error would be.
  Answered("small", 4096);
  EXPECT_EQ(calls_.bytes(), 100'000);
  calls_.LetGo(unread);
  EXPECT_EQ(calls_.bytes(), 60'000);
}

TEST_F(CallsInHandTest, AReplyThatNobodyReadsIsGivenUp) {
  Answered("a");
  calls_.Tick();
  Answered("b");
  EXPECT_THAT(given_up_, IsEmpty());
  calls_.Tick();
  EXPECT_THAT(given_up_, ElementsAre("a"));
  calls_.Tick();
  EXPECT_THAT(given_up_, ElementsAre("a", "a", "b"));
}

TEST_F(CallsInHandTest, ACallThatIsNotAnsweredIsNotGivenUp) {
  ASSERT_THAT(calls_.TakeUp(New("slow"), 1), IsOk());
  for (int i = 0; i < 10; ++i) calls_.Tick();
  EXPECT_THAT(given_up_, IsEmpty());
}

// Whichever of them ends first.
TEST_F(CallsInHandTest, WhatWasReadIsForgotten) {
  for (const char* last : {"a", "b", "c"}) {
    given_up_.clear();
    std::vector<std::pair<std::string, NamedCall*>> calls;
    for (const char* name : {"a", "b", "c"}) {
      calls.emplace_back(name, &Answered(name));
    }
    for (const auto& [name, call] : calls) {
      if (name != last) calls_.LetGo(*call);
    }
    calls_.Tick();
    calls_.Tick();
    EXPECT_THAT(given_up_, ElementsAre(last));
    for (const auto& [name, call] : calls) calls_.LetGo(*call);
    given_up_.clear();
    calls_.Tick();
    EXPECT_THAT(given_up_, IsEmpty());
    EXPECT_EQ(calls_.calls(), 0);
    EXPECT_EQ(calls_.bytes(), 0);
  }
}

}  // namespace
}  // namespace statecpp
