// SPDX-License-Identifier: Apache-2.0
//
// What a pattern of keys matches. The examples of Dapr's conformance suite are
// in store_listing_test.cc, where they go through a store.
#include "engine/key_pattern.h"

#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/reference_like.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;

bool Like(absl::string_view pattern, absl::string_view key) {
  return KeyPattern::Parse(pattern)->Matches(key);
}

TEST(KeyPatternTest, APatternHasAtLeastOneByte) {
  EXPECT_THAT(KeyPattern::Parse(""),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("pattern is empty")));
}

TEST(KeyPatternTest, APatternWithoutWildcardsIsOneKey) {
  EXPECT_TRUE(Like("a||b", "a||b"));
  EXPECT_FALSE(Like("a||b", "a||bc"));
  EXPECT_FALSE(Like("a||b", "xa||b"));
  EXPECT_FALSE(Like("a||b", ""));
}

TEST(KeyPatternTest, APercentSignStandsForAnyNumberOfCharacters) {
  EXPECT_TRUE(Like("%", ""));
  EXPECT_TRUE(Like("%", "abc"));
  EXPECT_TRUE(Like("a%", "a"));
  EXPECT_TRUE(Like("a%c", "abbbc"));
  EXPECT_FALSE(Like("a%c", "abbb"));
  EXPECT_TRUE(Like("%b%", "abc"));
  EXPECT_FALSE(Like("%b%", "ac"));
  // The first fit is not the one that leads to the end.
  EXPECT_TRUE(Like("%ab", "abab"));
  EXPECT_TRUE(Like("%a_c%d", "abd abc d"));
}

TEST(KeyPatternTest, AnUnderscoreStandsForOneCharacter) {
  EXPECT_TRUE(Like("a_", "ab"));
  EXPECT_FALSE(Like("a_", "a"));
  EXPECT_FALSE(Like("a_", "abc"));
  EXPECT_TRUE(Like("_%_", "ab"));
  EXPECT_FALSE(Like("_%_", "a"));
}

TEST(KeyPatternTest, ACharacterMayHaveManyBytes) {
  for (const char* character : {"\u00e9", "\u20ac", "\U0001f600"}) {
    EXPECT_TRUE(Like("_", character));
    EXPECT_TRUE(Like("a_b", std::string("a") + character + "b"));
    EXPECT_FALSE(Like("__", character));
    EXPECT_FALSE(Like("%__", character));
    EXPECT_FALSE(Like("_%_", character));
    EXPECT_TRUE(
        Like(std::string("%") + character, std::string("x") + character));
  }
}

TEST(KeyPatternTest, AByteOfNoCharacterIsOneOfItsOwn) {
  // Cut short, overlong, a surrogate, past the last code point, a lone
  // continuation.
  EXPECT_TRUE(Like("__", "\xE2\x82"));
  EXPECT_TRUE(Like("__", "\xC0\xAF"));
  EXPECT_TRUE(Like("___", "\xE0\x80\xAF"));
  EXPECT_TRUE(Like("___", "\xED\xA0\x80"));
  EXPECT_TRUE(Like("____", "\xF4\x90\x80\x80"));
  EXPECT_TRUE(Like("____", "\xF0\x80\x80\x80"));
  EXPECT_TRUE(Like("_", "\x82"));
  EXPECT_TRUE(Like("a\xFF%", "a\xFF\xFE"));
  EXPECT_FALSE(Like("a\xFF%", "a\xFE\xFF"));
  // Half a character is not found in a whole one.
  EXPECT_FALSE(Like("%\xE2%", "\u20ac"));
  EXPECT_TRUE(Like("%\xE2%", "\u20ac\xE2 "));
}

TEST(KeyPatternTest, ABackslashTakesTheMeaningFromWhatFollows) {
  EXPECT_TRUE(Like(R"(a\%)", "a%"));
  EXPECT_FALSE(Like(R"(a\%)", "ab"));
  EXPECT_TRUE(Like(R"(a\_)", "a_"));
  EXPECT_FALSE(Like(R"(a\_)", "ab"));
  EXPECT_TRUE(Like(R"(a\\)", R"(a\)"));
  EXPECT_FALSE(Like(R"(a\\)", R"(a\\)"));
  EXPECT_TRUE(Like(R"(a\\%)", R"(a\bc)"));
  EXPECT_TRUE(Like(R"(\a)", "a"));
  EXPECT_TRUE(Like("\\\u00e9", "\u00e9"));
}

TEST(KeyPatternTest, ABackslashAtTheEndStandsForItself) {
  EXPECT_TRUE(Like(R"(a\)", R"(a\)"));
  EXPECT_FALSE(Like(R"(a\)", "a"));
  EXPECT_TRUE(Like(R"(%\)", R"(a\)"));
}

TEST(KeyPatternTest, NoByteEndsALineOrAKey) {
  EXPECT_TRUE(Like("a%c", "a\n\nc"));
  EXPECT_TRUE(Like("a_c", "a\nc"));
  const std::string nul("a\0c", 3);
  EXPECT_TRUE(Like("a_c", nul));
  EXPECT_TRUE(Like(nul, nul));
  EXPECT_FALSE(Like("a", nul));
  EXPECT_FALSE(Like(nul, "a"));
}

TEST(KeyPatternTest, NothingHasAMeaningButThreeCharacters) {
  for (const char* text : {"a.c", "a*c", "a?c", "[a]", "^a$", "a|b", "(a)"}) {
    EXPECT_TRUE(Like(text, text)) << text;
  }
  EXPECT_FALSE(Like("a.c", "abc"));
  EXPECT_FALSE(Like("a*", "aa"));
  EXPECT_FALSE(Like("a|b", "a"));
}

TEST(KeyPatternTest, CaseCounts) { EXPECT_FALSE(Like("A%", "abc")); }

TEST(KeyPatternTest, TheHeadGoesAsFarAsTheFirstWildcard) {
  const auto head = [](absl::string_view pattern) {
    return KeyPattern::Parse(pattern)->head();
  };
  EXPECT_EQ(head("%"), "");
  EXPECT_EQ(head("a||b%c"), "a||b");
  EXPECT_EQ(head("a||_"), "a||");
  EXPECT_EQ(head(R"(a\%b\_c\\%d)"), R"(a%b_c\)");
  EXPECT_EQ(head("\u00e9\xE2_"), "\u00e9\xE2");
  EXPECT_TRUE(KeyPattern::Parse(R"(a\%)")->IsOneKey());
  EXPECT_FALSE(KeyPattern::Parse("a%")->IsOneKey());
  EXPECT_FALSE(KeyPattern::Parse("a_")->IsOneKey());
}

// Where each wildcard tried all that those before it may have taken, this would
// not end.
TEST(KeyPatternTest, ManyWildcardsComeToAnEnd) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "%a_";
  EXPECT_FALSE(Like(pattern + "b", std::string(4000, 'a')));
  EXPECT_TRUE(Like(pattern, std::string(4000, 'a')));
}

TEST(KeyPatternTest, AgreesWithTheReference) {
  std::mt19937_64 random(TestSeed());
  const std::vector<std::string> parts = {"a",
                                          "b",
                                          "|",
                                          "%",
                                          "%",
                                          "_",
                                          "_",
                                          "\\",
                                          "\n",
                                          "\u00e9",
                                          "\u20ac",
                                          "\U0001f600",
                                          "\xE2",
                                          "\x82",
                                          "\xF0\x9F",
                                          "\xED\xA0\x80",
                                          std::string(1, '\0')};
  const auto text = [&](size_t parts_at_most, bool is_pattern) {
    std::string made;
    for (size_t left = random() % (parts_at_most + 1); left > 0; --left) {
      const std::string& part = parts[random() % parts.size()];
      // Wildcards, which keys may have too, but not as often.
      if (!is_pattern && (part == "%" || part == "_") && random() % 4 != 0) {
        made += "a";
      } else {
        made += part;
      }
    }
    return made;
  };
  int matched = 0;
  for (int i = 0; i < 300'000; ++i) {
    const std::string pattern = text(7, true);
    const std::string key = text(7, false);
    if (pattern.empty()) continue;
    const bool expected = ReferenceLike(pattern, key);
    matched += expected;
    ASSERT_EQ(Like(pattern, key), expected)
        << "pattern " << ::testing::PrintToString(pattern) << " key "
        << ::testing::PrintToString(key);
  }
  // A test of nothing but mismatches would say little.
  EXPECT_GT(matched, 3000);
}

TEST(KeyPatternTest, ThePatternOfAPrefixTakesItAsItIs) {
  for (const std::string prefix : {"a||", "50%", "a_b", "\\", "\\%"}) {
    const std::string pattern = PatternOfPrefix(prefix);
    EXPECT_TRUE(Like(pattern, prefix)) << prefix;
    EXPECT_TRUE(Like(pattern, prefix + "rest")) << prefix;
    EXPECT_FALSE(Like(pattern, "x" + prefix)) << prefix;
    EXPECT_EQ(KeyPattern::Parse(pattern)->head(), prefix);
  }
  EXPECT_FALSE(Like(PatternOfPrefix("a_b"), "axb"));
  EXPECT_FALSE(Like(PatternOfPrefix("50%"), "500"));
  EXPECT_TRUE(Like(PatternOfPrefix(""), "anything"));
}

}  // namespace
}  // namespace statecpp
