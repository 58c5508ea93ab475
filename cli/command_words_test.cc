// SPDX-License-Identifier: Apache-2.0
#include "cli/command_words.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(CommandWordsTest, SpacesAndTabsPartWords) {
  EXPECT_THAT(CommandWords("get-key prod"),
              Optional(ElementsAre("get-key", "prod")));
  EXPECT_THAT(CommandWords("  a \t b  "), Optional(ElementsAre("a", "b")));
  EXPECT_THAT(CommandWords(""), Optional(IsEmpty()));
  EXPECT_THAT(CommandWords("  "), Optional(IsEmpty()));
}

TEST(CommandWordsTest, QuotesKeepTogether) {
  EXPECT_THAT(CommandWords("a 'b  c' \"d e\""),
              Optional(ElementsAre("a", "b  c", "d e")));
  EXPECT_THAT(CommandWords("--x='b c'd"), Optional(ElementsAre("--x=b cd")));
  EXPECT_THAT(CommandWords("a '' \"\" b"),
              Optional(ElementsAre("a", "", "", "b")));
  EXPECT_THAT(CommandWords("'a\"b' \"a'b\""),
              Optional(ElementsAre("a\"b", "a'b")));
}

TEST(CommandWordsTest, ABackslashTakesTheNextAsItIs) {
  EXPECT_THAT(CommandWords("a\\ b \\\"c \"d\\\"e\" \\\\"),
              Optional(ElementsAre("a b", "\"c", "d\"e", "\\")));
  EXPECT_THAT(CommandWords("'a\\b'"), Optional(ElementsAre("a\\b")));
}

TEST(CommandWordsTest, NothingElseIsSpecial) {
  EXPECT_THAT(CommandWords("a $HOME `b` $(c) * ~ | > & ; # {d,e}"),
              Optional(ElementsAre("a", "$HOME", "`b`", "$(c)", "*", "~", "|",
                                   ">", "&", ";", "#", "{d,e}")));
}

TEST(CommandWordsTest, WhatIsNotClosedIsNoCommand) {
  for (const char* line : {"a 'b", "a \"b", "'", "a \\", "\"a\\\""}) {
    EXPECT_THAT(CommandWords(line), Eq(std::nullopt)) << line;
  }
}

}  // namespace
}  // namespace statecpp
