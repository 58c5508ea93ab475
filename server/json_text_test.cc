// SPDX-License-Identifier: Apache-2.0
#include "server/json_text.h"

#include <string>

#include "gtest/gtest.h"

namespace statecpp {
namespace {

TEST(JsonTextTest, QuotesText) {
  EXPECT_EQ(JsonText(""), R"("")");
  EXPECT_EQ(JsonText("orders/a b"), R"("orders/a b")");
  EXPECT_EQ(JsonText(R"(say "no" \ yes)"), R"("say \"no\" \\ yes")");
  EXPECT_EQ(JsonText(std::string("\0\n\x1F\x7F", 4)),
            "\"\\u0000\\u000a\\u001f\x7F\"");
}

TEST(JsonTextTest, LeavesLettersOfEveryLength) {
  for (const std::string text :
       {"\u00e4", "\u20ac", "\uffff", "\U0001f511", "\U0010ffff"}) {
    EXPECT_EQ(JsonText(text), "\"" + text + "\"");
  }
}

TEST(JsonTextTest, ReplacesWhatIsNoUtf8) {
  const std::string mark = "\xEF\xBF\xBD";
  for (const std::string byte :
       {"\x80", "\xC0", "\xC1", "\xF5", "\xFF", "\xC3", "\xE2", "\xF0"}) {
    EXPECT_EQ(JsonText("a" + byte + "b"), "\"a" + mark + "b\"");
  }
  // Cut off, too long a form, a surrogate, beyond Unicode: byte by byte.
  EXPECT_EQ(JsonText("\xE2\x82"), "\"" + mark + mark + "\"");
  EXPECT_EQ(JsonText("\xE0\x80\xAF"), "\"" + mark + mark + mark + "\"");
  EXPECT_EQ(JsonText("\xED\xA0\x80"), "\"" + mark + mark + mark + "\"");
  EXPECT_EQ(JsonText("\xF0\x80\x80\xAF"),
            "\"" + mark + mark + mark + mark + "\"");
  EXPECT_EQ(JsonText("\xF4\x90\x80\x80"),
            "\"" + mark + mark + mark + mark + "\"");
}

TEST(JsonTextTest, SaysWhetherTextIsWhole) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("a\u00e9\U0001f600\n"));
  EXPECT_FALSE(IsUtf8("a\xFF"));
  EXPECT_FALSE(IsUtf8("\xC3"));
}

}  // namespace
}  // namespace statecpp
