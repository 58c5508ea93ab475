// SPDX-License-Identifier: Apache-2.0
#include "cli/item_text.h"

#include <string>

#include "gtest/gtest.h"

namespace statecpp {
namespace {

TEST(ItemTextTest, AKeyThatIsTextStandsAsItIs) {
  for (const std::string key : {"app||order-1", "a b", "\"quoted\"", "\u00e9",
                                "\u00a3", "\U0001f600"}) {
    EXPECT_EQ(KeyText(key), key);
  }
}

TEST(ItemTextTest, AKeyThatATerminalWouldObeyIsEscaped) {
  EXPECT_EQ(KeyText("a\nb"), "a\\nb");
  EXPECT_EQ(KeyText("\x1B[2J"), "\\033[2J");
  EXPECT_EQ(KeyText("\x7F"), "\\177");
  EXPECT_EQ(KeyText("\u009b31m"), "\\302\\23331m");
  EXPECT_EQ(KeyText("\xFF"), "\\377");
}

TEST(ItemTextTest, JsonStandsOnOneLineAndMovesNoCursor) {
  EXPECT_EQ(JsonLine("{\"a\":\n\t1,\r\n\"b\": \"\u00e9\"}"),
            "{\"a\":  1,  \"b\": \"\u00e9\"}");
  EXPECT_EQ(JsonLine("\"\x7F\u009b31m\u0080\u00a0\""),
            "\"\\u007f\\u009b31m\\u0080\u00a0\"");
}

TEST(ItemTextTest, JsonHasTheBytesOfWhatIsNotUtf8) {
  EXPECT_EQ(KeyMembers("a"), "\"key\":\"a\"");
  EXPECT_EQ(KeyMembers("a\xFF"), "\"key\":\"a\uFFFD\",\"keyBase64\":\"Yf8=\"");
  EXPECT_EQ(BytesMember("value", "a\"b"), "\"value\":\"a\\\"b\"");
  EXPECT_EQ(BytesMember("value", "a\xFF"), "\"valueBase64\":\"Yf8=\"");
}

TEST(ItemTextTest, SaysAllButTheValue) {
  const AdminRow row = {.key = "k",
                        .etag = "00000000000000aa",
                        .value = "value",
                        .content_type = "text/plain",
                        .expires_ms = 1500,
                        .size = 5};
  EXPECT_EQ(ItemLines(row),
            "key: k\netag: 00000000000000aa\nsize: 5\n"
            "content type: text/plain\nexpires: 1970-01-01T00:00:01.500Z\n");
  EXPECT_EQ(ItemMembers(row),
            "\"key\":\"k\",\"etag\":\"00000000000000aa\",\"size\":5,"
            "\"contentType\":\"text/plain\","
            "\"expires\":\"1970-01-01T00:00:01.500Z\"");
}

TEST(ItemTextTest, SaysWhatAnItemHasNotGot) {
  const AdminRow row = {.key = "k", .etag = "00000000000000aa"};
  EXPECT_EQ(ItemLines(row),
            "key: k\netag: 00000000000000aa\nsize: 0\ncontent type: -\n"
            "expires: -\n");
  EXPECT_EQ(ItemMembers(row),
            "\"key\":\"k\",\"etag\":\"00000000000000aa\",\"size\":0,"
            "\"contentType\":\"\",\"expires\":null");
  EXPECT_EQ(ItemMembers({.key = "k", .is_damaged = true}),
            "\"key\":\"k\",\"damaged\":true");
}

}  // namespace
}  // namespace statecpp
