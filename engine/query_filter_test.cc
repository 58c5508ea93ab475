// SPDX-License-Identifier: Apache-2.0
#include "engine/query_filter.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/json_fields.h"
#include "engine/query.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;

constexpr absl::StatusCode kInvalidArgument =
    absl::StatusCode::kInvalidArgument;

bool Matches(absl::string_view filter, absl::string_view document) {
  const absl::StatusOr<QueryFilter> read = QueryFilter::FromJson(filter);
  EXPECT_THAT(read, IsOk()) << filter;
  if (!read.ok()) return false;
  JsonFields fields(read->paths());
  EXPECT_TRUE(fields.Read(document)) << document;
  return read->Matches(fields.values());
}

std::string Nested(int depth) {
  std::string filter = R"({"EQ": {"a": 1}})";
  for (int i = 1; i < depth; ++i) {
    filter = absl::StrCat(R"({"AND": [{"EQ": {"b": 2}}, )", filter, "]}");
  }
  return filter;
}

std::string In(size_t values) {
  return absl::StrCat(R"({"IN": {"a": [)",
                      absl::StrJoin(std::vector<int>(values, 1), ","), "]}}");
}

TEST(QueryFilter, MatchesAllWhereItIsEmpty) {
  EXPECT_TRUE(Matches("{}", "1"));
  EXPECT_TRUE(Matches(" { } ", "{}"));
  EXPECT_TRUE(QueryFilter().Matches({}));
}

TEST(QueryFilter, ComparesForEquality) {
  EXPECT_TRUE(Matches(R"({"EQ": {"a": 1}})", R"({"a": 1.0})"));
  EXPECT_FALSE(Matches(R"({"EQ": {"a": 1}})", R"({"a": "1"})"));
  EXPECT_FALSE(Matches(R"({"EQ": {"a": 1}})", R"({"a": true})"));
  EXPECT_TRUE(Matches(R"({"EQ": {"a": null}})", R"({"a": null})"));
  EXPECT_TRUE(Matches(R"({"EQ": {"a.b": "x"}})", R"({"a": {"b": "x"}})"));
  EXPECT_TRUE(Matches(R"({"EQ": {"a": "\u003c"}})", R"({"a": "<"})"));
  EXPECT_TRUE(Matches(R"({"NEQ": {"a": 1}})", R"({"a": 2})"));
  EXPECT_TRUE(Matches(R"({"NEQ": {"a": 1}})", R"({"a": "1"})"));
  EXPECT_FALSE(Matches(R"({"NEQ": {"a": 1}})", R"({"a": 1})"));
  EXPECT_TRUE(Matches(R"({"IN": {"a": [3, "x", null]}})", R"({"a": "x"})"));
  EXPECT_TRUE(Matches(R"({"IN": {"a": [3, 3, "x"]}})", R"({"a": 3})"));
  EXPECT_FALSE(Matches(R"({"IN": {"a": [3, "x"]}})", R"({"a": 4})"));
}

TEST(QueryFilter, ComparesNothingWithWhatIsNotThere) {
  for (const absl::string_view filter :
       {R"({"EQ": {"a": null}})", R"({"NEQ": {"a": 1}})",
        R"({"IN": {"a": [null]}})", R"({"GTE": {"a": 0}})",
        R"({"LT": {"a": "x"}})"}) {
    EXPECT_FALSE(Matches(filter, "{}")) << filter;
    EXPECT_FALSE(Matches(filter, "[1]")) << filter;
  }
}

TEST(QueryFilter, TakesObjectsAndArraysForEqualToNothing) {
  for (const absl::string_view document : {R"({"a": []})", R"({"a": {}})"}) {
    EXPECT_FALSE(Matches(R"({"EQ": {"a": null}})", document));
    EXPECT_TRUE(Matches(R"({"NEQ": {"a": null}})", document));
    EXPECT_FALSE(Matches(R"({"IN": {"a": [null, 1]}})", document));
    EXPECT_FALSE(Matches(R"({"GT": {"a": "x"}})", document));
  }
}

TEST(QueryFilter, OrdersWithinOneTypeAlone) {
  EXPECT_TRUE(Matches(R"({"GT": {"a": 11.1}})", R"({"a": 12})"));
  EXPECT_FALSE(Matches(R"({"GT": {"a": 12}})", R"({"a": 12})"));
  EXPECT_TRUE(Matches(R"({"GTE": {"a": 12}})", R"({"a": 12.0})"));
  EXPECT_FALSE(Matches(R"({"GTE": {"a": 12}})", R"({"a": 11.9})"));
  EXPECT_TRUE(Matches(R"({"LT": {"a": "b"}})", R"({"a": "a"})"));
  EXPECT_FALSE(Matches(R"({"LT": {"a": "b"}})", R"({"a": "b"})"));
  EXPECT_TRUE(Matches(R"({"LTE": {"a": "b"}})", R"({"a": "b"})"));
  EXPECT_FALSE(Matches(R"({"LTE": {"a": "b"}})", R"({"a": "ba"})"));
  for (const absl::string_view value : {"null", "true", "\"9\"", "[]"}) {
    const std::string document = absl::StrCat("{\"a\": ", value, "}");
    EXPECT_FALSE(Matches(R"({"GT": {"a": -1}})", document)) << value;
    EXPECT_FALSE(Matches(R"({"LT": {"a": 10}})", document)) << value;
  }
  EXPECT_FALSE(Matches(R"({"LT": {"a": "z"}})", R"({"a": 1})"));
}

TEST(QueryFilter, JoinsFilters) {
  const absl::string_view filter = R"({"OR": [
      {"EQ": {"person.org": "Dev Ops"}},
      {"AND": [{"EQ": {"person.org": "Finance"}},
               {"IN": {"state": ["CA", "WA"]}}]}]})";
  EXPECT_TRUE(Matches(filter, R"({"person": {"org": "Dev Ops"}})"));
  EXPECT_TRUE(
      Matches(filter, R"({"person": {"org": "Finance"}, "state": "CA"})"));
  EXPECT_FALSE(
      Matches(filter, R"({"person": {"org": "Finance"}, "state": "OR"})"));
  EXPECT_FALSE(
      Matches(filter, R"({"person": {"org": "Hardware"}, "state": "CA"})"));
}

TEST(QueryFilter, IsReadFromAnOperandAsFromAWhole) {
  const absl::StatusOr<QueryFilter> whole =
      QueryFilter::FromJson(R"({"EQ": {"a": 1}})");
  const absl::StatusOr<QueryFilter> operand =
      QueryFilter::FromOperand("EQ", R"({ "a":1.0 })");
  ASSERT_THAT(whole, IsOk());
  ASSERT_THAT(operand, IsOk());
  std::string of_whole, of_operand;
  whole->AppendTo(of_whole);
  operand->AppendTo(of_operand);
  EXPECT_EQ(of_whole, of_operand);
}

TEST(QueryFilter, SaysWhereItIsMalformed) {
  const struct {
    absl::string_view filter;
    absl::string_view text;
  } kCases[] = {
      {"", "at filter: no JSON"},
      {"{", "at filter: no JSON"},
      {"{\"EQ\": {\"a\": tru}}", "at filter.EQ: no JSON"},
      {"{} x", "at filter: no JSON"},
      {"[]", "at filter: an object is expected"},
      {R"({"LIKE": {"a": "x"}})", R"(at filter: "LIKE" is there, and EQ,)"},
      {R"({"eq": {"a": "x"}})", R"("eq" is there)"},
      {R"({"EQ": {"a": 1}, "NEQ": {"a": 2}})", "at filter: there are two op"},
      {R"({"EQ": 1})", "at filter.EQ: an object is expected"},
      {R"({"EQ": {}})", "at filter.EQ: a path is expected"},
      {R"({"EQ": {"a": 1, "b": 2}})", "at filter.EQ: there are two paths"},
      {R"({"EQ": {"": 1}})", R"(at filter.EQ: "" is no path)"},
      {R"({"EQ": {"a..b": 1}})", R"("a..b" is no path)"},
      {R"({"EQ": {".a": 1}})", R"(".a" is no path)"},
      {R"({"EQ": {"a": [1]}})", "at filter.EQ: a string, a number, true"},
      {R"({"GT": {"a": null}})", "at filter.GT: a number or a string is"},
      {R"({"LTE": {"a": true}})", "at filter.LTE: a number or a string is"},
      {R"({"IN": {"a": 1}})", "at filter.IN: an array is expected"},
      {R"({"IN": {"a": []}})", "at filter.IN: a value at least is expected"},
      {R"({"IN": {"a": [1, {}]}})", "at filter.IN[1]: a string, a number"},
      {R"({"AND": {}})", "at filter.AND: an array is expected"},
      {R"({"AND": [{"EQ": {"a": 1}}]})", "at filter.AND: two filters at"},
      {R"({"OR": [{"EQ": {"a": 1}}, {}]})", "at filter.OR[1]: an operator"},
      {R"({"OR": [{"EQ": {"a": 1}}, {"AND": [{"EQ": {"a": 1}}, 7]}]})",
       "at filter.OR[1].AND[1]: an object is expected"},
  };
  for (const auto& each : kCases) {
    EXPECT_THAT(QueryFilter::FromJson(each.filter),
                StatusIs(kInvalidArgument, HasSubstr(each.text)))
        << each.filter;
  }
  EXPECT_THAT(QueryFilter::FromOperand("IN", R"({"a": [)"),
              StatusIs(kInvalidArgument, HasSubstr("at filter.IN")));
  EXPECT_THAT(QueryFilter::FromOperand("NOT", "{}"),
              StatusIs(kInvalidArgument, HasSubstr("\"NOT\" is there")));
}

// Each path twice: only different ones count.
std::string OfPaths(size_t count) {
  std::string filters;
  for (size_t i = 0; i < 2 * count; ++i) {
    absl::StrAppend(&filters, i == 0 ? "" : ",", R"({"EQ":{"p)", i % count,
                    R"(":1}})");
  }
  return absl::StrCat(R"({"OR":[)", filters, "]}");
}

TEST(QueryFilter, HasItsLimits) {
  EXPECT_THAT(QueryFilter::FromJson(Nested(QueryFilter::kMaxDepth)), IsOk());
  EXPECT_THAT(QueryFilter::FromJson(Nested(QueryFilter::kMaxDepth + 1)),
              StatusIs(kInvalidArgument, HasSubstr("nests deeper than 32")));
  EXPECT_THAT(QueryFilter::FromJson(In(QueryFilter::kMaxScalars)), IsOk());
  EXPECT_THAT(QueryFilter::FromJson(In(QueryFilter::kMaxScalars + 1)),
              StatusIs(kInvalidArgument, HasSubstr("more than 4096 values")));
  EXPECT_THAT(QueryFilter::FromJson(OfPaths(QueryFilter::kMaxPaths)), IsOk());
  EXPECT_THAT(QueryFilter::FromJson(OfPaths(QueryFilter::kMaxPaths + 1)),
              StatusIs(kInvalidArgument, HasSubstr("more than 64 paths")));
  const std::string path(QueryFilter::kMaxPathSize, 'a');
  EXPECT_THAT(
      QueryFilter::FromJson(absl::StrCat(R"({"EQ": {")", path, R"(": 1}})")),
      IsOk());
  EXPECT_THAT(
      QueryFilter::FromJson(absl::StrCat(R"({"EQ": {")", path, R"(a": 1}})")),
      StatusIs(kInvalidArgument, HasSubstr("1024 bytes at most")));
}

TEST(QueryFromJson, ReadsAllParts) {
  const absl::StatusOr<Query> query = Query::FromJson(R"({
      "filter": {"EQ": {"state": "CA"}},
      "sort": [{"key": "person.id", "order": "DESC"}, {"key": "city"},
               {"order": "ASC", "key": "state"}],
      "page": {"limit": 3, "token": "t"}})");
  ASSERT_THAT(query, IsOk());
  EXPECT_THAT(query->filter.paths(), ::testing::ElementsAre("state"));
  ASSERT_EQ(query->sort.size(), 3u);
  EXPECT_EQ(query->sort[0].path, "person.id");
  EXPECT_TRUE(query->sort[0].descending);
  EXPECT_FALSE(query->sort[1].descending);
  EXPECT_EQ(query->sort[2].path, "state");
  EXPECT_EQ(query->limit, 3u);
  EXPECT_EQ(query->token, "t");
}

TEST(QueryFromJson, TakesWhatIsLeftOutForAllAndNoLimit) {
  for (const absl::string_view json :
       {"{}", R"({"filter": {}, "sort": [], "page": {}})",
        R"({"filter": null, "sort": null, "page": null})"}) {
    const absl::StatusOr<Query> query = Query::FromJson(json);
    ASSERT_THAT(query, IsOk()) << json;
    EXPECT_TRUE(query->filter.paths().empty());
    EXPECT_TRUE(query->sort.empty());
    EXPECT_EQ(query->limit, 0u);
    EXPECT_EQ(query->token, "");
  }
}

TEST(QueryFromJson, SaysWhereItIsMalformed) {
  const struct {
    absl::string_view query;
    absl::string_view text;
  } kCases[] = {
      {"", "the query is malformed: no JSON"},
      {"[]", "the query is malformed: an object is expected"},
      {R"({"fliter": {}})", R"("fliter" is there, and filter, sort or page)"},
      {R"({"filter": {"EQ": 1}})", "at filter.EQ: an object is expected"},
      {R"({"sort": {}})", "at sort: an array is expected"},
      {R"({"sort": [1]})", "at sort[0]: an object is expected"},
      {R"({"sort": [{"key": 1}]})", "at sort[0].key: a string is expected"},
      {R"({"sort": [{"key": "a", "order": "desc"}]})",
       R"(at sort[0].order: "desc" is there, and ASC or DESC)"},
      {R"({"sort": [{"path": "a"}]})", R"(at sort[0]: "path" is there)"},
      {R"({"page": {"limit": -1}})", "at page.limit: a whole number up to"},
      {R"({"page": {"limit": 1.5}})", "at page.limit: a whole number up to"},
      {R"({"page": {"limit": "1"}})", "at page.limit: a whole number up to"},
      {R"({"page": {"limit": 2147483648}})",
       "at page.limit: a whole number up to 2147483647"},
      {R"({"page": {"token": 1}})", "at page.token: a string is expected"},
      {R"({"page": {"size": 1}})", R"(at page: "size" is there)"},
      {"{} {}", "the query is malformed: no JSON"},
  };
  for (const auto& each : kCases) {
    EXPECT_THAT(Query::FromJson(each.query),
                StatusIs(kInvalidArgument, HasSubstr(each.text)))
        << each.query;
  }
}

}  // namespace
}  // namespace statecpp
