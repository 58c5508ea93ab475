// SPDX-License-Identifier: Apache-2.0
//
// Documents as hostile as a store may hold: what is JSON, and what its numbers
// and names are, decides what a query returns.
#include "engine/json_fields.h"

#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/json_reader.h"
#include "engine/json_scalar.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using Kind = JsonScalar::Kind;

bool IsJson(absl::string_view text) { return JsonReader().IsJson(text); }

std::string Repeated(absl::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) absl::StrAppend(&all, text);
  return all;
}

// The value at "a" of an object that says only that.
JsonScalar Scalar(absl::string_view text) {
  JsonFields fields({"a"});
  EXPECT_TRUE(fields.Read(absl::StrCat("{\"a\": ", text, " }"))) << text;
  return fields.values()[0];
}
JsonScalar::Number Number(absl::string_view text) {
  const JsonScalar scalar = Scalar(text);
  EXPECT_EQ(scalar.kind, Kind::kNumber) << text;
  return scalar.number;
}

constexpr absl::string_view kJson[] = {"{}",
                                       "[]",
                                       " { } ",
                                       "1",
                                       "-0",
                                       "0.5e-3",
                                       "1E+2",
                                       "\"\"",
                                       "true",
                                       "false",
                                       "null",
                                       "\t\r\n1\n",
                                       "[1, [2, {\"a\": [null]}], \"x\"]",
                                       "{\"\": 1}",
                                       "{\"a\": 1, \"a\": 2}",
                                       "\"\\u003cb\\u003e\"",
                                       "\"\\ud83d\\ude00\"",
                                       "\"\xf0\x9f\x98\x80\"",
                                       "\"\\u0000\"",
                                       "123456789012345678901234567890",
                                       "1e400",
                                       "-1e400",
                                       "1e-400",
                                       "[18446744073709551616]",
                                       "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""};

TEST(JsonReader, TakesWhatIsJson) {
  for (const absl::string_view text : kJson) {
    EXPECT_TRUE(IsJson(text)) << text;
  }
}

constexpr absl::string_view kNotJson[] = {"",
                                          "1\v",
                                          "1\f",
                                          "[1\v]",
                                          "{\"a\":1\v}",
                                          " ",
                                          "{",
                                          "}",
                                          "[",
                                          "]",
                                          "{]",
                                          "[}",
                                          "{}}",
                                          "{}{}",
                                          "1 2",
                                          "1,2",
                                          "1]",
                                          "],[",
                                          "\"a\"],[\"b\"",
                                          "[1",
                                          "[1 2]",
                                          "[1,]",
                                          "[,1]",
                                          "[1,,2]",
                                          "{\"a\"}",
                                          "{\"a\":}",
                                          "{\"a\":1,}",
                                          "{\"a\" 1}",
                                          "{,}",
                                          "{1:2}",
                                          "{a:1}",
                                          "{\"a\":1 \"b\":2}",
                                          "{\"a\":1:2}",
                                          "{'a':1}",
                                          "01",
                                          "-",
                                          "+1",
                                          ".5",
                                          "1.",
                                          "1e",
                                          "1e+",
                                          "0x1",
                                          "1_000",
                                          "--1",
                                          "NaN",
                                          "Infinity",
                                          "-Infinity",
                                          "nul",
                                          "nulll",
                                          "tru",
                                          "truee",
                                          "True",
                                          "fals",
                                          "\"",
                                          "\"a",
                                          "a",
                                          "\"\\x\"",
                                          "\"\\u12\"",
                                          "\"\\ud800\"",
                                          "\"\\udc00\"",
                                          "\"\\ud800x\"",
                                          "\"a\nb\"",
                                          "\"a\tb\"",
                                          "\"\xff\"",
                                          "\"\xc0\x80\"",
                                          "\"\xed\xa0\x80\"",
                                          "\xef\xbb\xbf{}",
                                          "// x\n1",
                                          "1 // x",
                                          "1;",
                                          "{\"a\":[1,{\"b\":tru}]}",
                                          "[\"a\":1]",
                                          "{\"a\",1}",
                                          "\x01",
                                          "{\"\\ud800\":1}",
                                          "[1]x",
                                          "x[1]",
                                          "[1e5x]",
                                          "[1.2.3]",
                                          "[\"a\"\"b\"]",
                                          "{\"a\":\"b\"\"c\"}",
                                          "[truefalse]",
                                          "[nullnull]",
                                          "[1[2]]"};

TEST(JsonReader, RefusesWhatIsNot) {
  for (const absl::string_view text : kNotJson) {
    EXPECT_FALSE(IsJson(text)) << text;
  }
  EXPECT_FALSE(IsJson(absl::string_view("1\0", 2)));
  EXPECT_FALSE(IsJson(absl::string_view("\0", 1)));
  EXPECT_FALSE(IsJson(absl::string_view("\"a\0b\"", 5)));
}

TEST(JsonReader, RefusesWhatNestsDeeperThanItsLimit) {
  const auto nested = [](absl::string_view open, absl::string_view close,
                         int times) {
    return absl::StrCat(Repeated(open, times), "1", Repeated(close, times));
  };
  EXPECT_TRUE(IsJson(nested("[", "]", JsonReader::kMaxDepth)));
  EXPECT_FALSE(IsJson(nested("[", "]", JsonReader::kMaxDepth + 1)));
  EXPECT_TRUE(IsJson(nested("{\"a\":", "}", JsonReader::kMaxDepth)));
  EXPECT_FALSE(IsJson(nested("{\"a\":", "}", JsonReader::kMaxDepth + 1)));
  EXPECT_FALSE(IsJson(nested("[", "]", 1 << 20)));
  EXPECT_FALSE(IsJson(Repeated("[", 1 << 20)));
}

TEST(JsonFields, FollowsPathsInAnyOrder) {
  JsonFields fields({"b.c", "a", "b", "b.c.d", "a"});
  ASSERT_TRUE(fields.Read(R"({"a": "x", "b": {"e": [1], "c": {"d": true}}})"));
  EXPECT_EQ(fields.values()[0].kind, Kind::kNested);
  EXPECT_EQ(fields.values()[1].text, "x");
  EXPECT_EQ(fields.values()[2].kind, Kind::kNested);
  EXPECT_EQ(fields.values()[3].kind, Kind::kTrue);
  EXPECT_EQ(fields.values()[4].text, "x");

  // Nothing is left of the document before.
  ASSERT_TRUE(fields.Read(R"({"b": 1})"));
  EXPECT_EQ(fields.values()[0].kind, Kind::kMissing);
  EXPECT_EQ(fields.values()[1].kind, Kind::kMissing);
  EXPECT_EQ(fields.values()[2].number, 1);
  EXPECT_EQ(fields.values()[3].kind, Kind::kMissing);
}

TEST(JsonFields, FindsNothingWhereThereAreNoMembers) {
  JsonFields fields({"a.b"});
  for (const absl::string_view document :
       {"1", "[]", "\"a\"", "{}", R"({"a": [{"b": 1}]})", R"({"a": null})",
        R"({"a.b": 1})", R"({"b": {"a": 1}})", R"({"A": {"B": 1}})"}) {
    EXPECT_TRUE(fields.Read(document)) << document;
    EXPECT_EQ(fields.values()[0].kind, Kind::kMissing) << document;
  }
}

TEST(JsonFields, TakesTheLastOfMembersOfOneName) {
  JsonFields fields({"a", "a.b"});
  ASSERT_TRUE(fields.Read(R"({"a": {"b": 1, "b": 2}})"));
  EXPECT_EQ(fields.values()[1].number, 2);
  ASSERT_TRUE(fields.Read(R"({"a": {"b": 1}, "a": 3})"));
  EXPECT_EQ(fields.values()[0].number, 3);
  EXPECT_EQ(fields.values()[1].kind, Kind::kMissing);
  ASSERT_TRUE(fields.Read(R"({"a": 3, "\u0061": {"b": 1}})"));
  EXPECT_EQ(fields.values()[1].number, 1);
}

TEST(JsonFields, ReadsStringsAsWhatTheySay) {
  EXPECT_EQ(Scalar(R"("\u003ckey\u003e")").text, "<key>");
  EXPECT_EQ(Scalar(R"("\ud83d\ude00")").text, "\xf0\x9f\x98\x80");
  EXPECT_EQ(Scalar(R"("a\u0000b")").text, std::string("a\0b", 3));
  EXPECT_EQ(Scalar(R"("")").kind, Kind::kText);
}

TEST(JsonFields, ReadsNumbersWithoutLoss) {
  EXPECT_EQ(Number("1"), Number("1.0"));
  EXPECT_EQ(Number("120000000000000000000"), Number("1.2e+20"));
  EXPECT_EQ(Number("-0"), Number("0.0"));
  EXPECT_LT(Number("9007199254740992"), Number("9007199254740993"));
  EXPECT_LT(Number("9007199254740992.0"), Number("9007199254740993"));
  EXPECT_LT(Number("18446744073709551614"), Number("18446744073709551615"));
  EXPECT_LT(Number("18446744073709551615"), Number("18446744073709551616"));
  EXPECT_LT(Number("-9223372036854775808"), Number("-9223372036854775807"));
  EXPECT_LT(Number("11.1"), Number("12"));
  EXPECT_LT(Number("1e308"), Number("1e400"));
  EXPECT_EQ(Number("1e400"), Number("1e500"));
  EXPECT_LT(Number("-1e400"), Number("-1e308"));
  EXPECT_EQ(Number("1e-400"), Number("0"));
  EXPECT_LT(Number("0"), Number("5e-324"));
}

TEST(JsonScalar, IsTheSameAfterItWasBytes) {
  for (const absl::string_view text :
       {"null", "false", "true", "0", "-1", "0.1", "1e400", "-1e400", "5e-324",
        "18446744073709551615", "-9223372036854775808", "18446744073709551616",
        "9007199254740993", "1.7976931348623157e308", "\"\"", "\"a\"", "[]"}) {
    const JsonScalar scalar = Scalar(text);
    std::string bytes;
    AppendScalar(bytes, scalar);
    bytes.append("rest");
    absl::string_view left = bytes;
    JsonScalar read;
    ASSERT_TRUE(ConsumeScalar(left, read)) << text;
    EXPECT_EQ(left, "rest") << text;
    EXPECT_EQ(read.kind, scalar.kind) << text;
    EXPECT_EQ(Compare(read, scalar), 0) << text;
    for (size_t size = 0; size + 4 < bytes.size(); ++size) {
      absl::string_view cut = absl::string_view(bytes).substr(0, size);
      EXPECT_FALSE(ConsumeScalar(cut, read)) << text << " of " << size;
    }
  }
}

TEST(JsonScalar, OrdersTypesThenValues) {
  const absl::string_view in_order[] = {"null",        "false",
                                        "true",        "-1e400",
                                        "-2",          "0",
                                        "1e400",       "\"\"",
                                        "\"9\"",       "\"A\"",
                                        "\"a\"",       "\"\\u00e4\"",
                                        "\"\\uffff\"", "\"\\ud83d\\ude00\"",
                                        "{}"};
  for (size_t i = 0; i < std::size(in_order); ++i) {
    for (size_t j = 0; j < std::size(in_order); ++j) {
      const int order = Compare(Scalar(in_order[i]), Scalar(in_order[j]));
      EXPECT_EQ(order < 0, i < j) << in_order[i] << " " << in_order[j];
      EXPECT_EQ(order > 0, i > j) << in_order[i] << " " << in_order[j];
    }
  }
  EXPECT_LT(Compare(JsonScalar(), Scalar("null")), 0);
  EXPECT_EQ(Compare(Scalar("[]"), Scalar("{}")), 0);
}

}  // namespace
}  // namespace statecpp
