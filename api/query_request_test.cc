// SPDX-License-Identifier: Apache-2.0
#include "api/query_request.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::StatusCode kInvalidArgument =
    absl::StatusCode::kInvalidArgument;

// As daprd sends it: the operand in an Any without a type.
wire::QueryRequest Filtered(const std::string& op, const std::string& operand) {
  wire::QueryRequest request;
  (*request.mutable_query()->mutable_filter())[op].set_value(operand);
  return request;
}

QueryRow Row(std::string key, std::string value) {
  QueryRow row;
  row.key = std::move(key);
  row.item.value = std::move(value);
  return row;
}

std::string Bytes(const QueryFilter& filter) {
  std::string bytes;
  filter.AppendTo(bytes);
  return bytes;
}

TEST(QueryFromProtoTest, ReadsTheOperandOfAnAnyWithoutAType) {
  const absl::StatusOr<Query> query =
      QueryFromProto({}, Filtered("EQ", R"({"state":"CA"})"));
  ASSERT_THAT(query, IsOk());
  EXPECT_EQ(Bytes(query->filter),
            Bytes(*QueryFilter::FromJson(R"({"EQ": {"state": "CA"}})")));
}

TEST(QueryFromProtoTest, TakesNoFilterForAllRows) {
  const absl::StatusOr<Query> query = QueryFromProto({}, wire::QueryRequest());
  ASSERT_THAT(query, IsOk());
  EXPECT_EQ(Bytes(query->filter), Bytes(QueryFilter()));
  EXPECT_THAT(query->sort, IsEmpty());
  EXPECT_EQ(query->limit, 0u);
  EXPECT_EQ(query->token, "");
  EXPECT_EQ(query->key_prefix, "");
  EXPECT_EQ(query->max_scan, 0u);
}

TEST(QueryFromProtoTest, TakesSortPageAndPrefix) {
  wire::QueryRequest request;
  wire::Sorting* const first = request.mutable_query()->add_sort();
  first->set_key("person.id");
  first->set_order(wire::Sorting::DESC);
  request.mutable_query()->add_sort()->set_key("city");
  request.mutable_query()->mutable_pagination()->set_limit(3);
  request.mutable_query()->mutable_pagination()->set_token("t");
  (*request.mutable_metadata())["KEYPREFIX"] = "app||";
  (*request.mutable_metadata())["queryIndexName"] = "i";
  const absl::StatusOr<Query> query = QueryFromProto({.max_scan = 7}, request);
  ASSERT_THAT(query, IsOk());
  ASSERT_EQ(query->sort.size(), 2u);
  EXPECT_EQ(query->sort[0].path, "person.id");
  EXPECT_TRUE(query->sort[0].descending);
  EXPECT_EQ(query->sort[1].path, "city");
  EXPECT_FALSE(query->sort[1].descending);
  EXPECT_EQ(query->limit, 3u);
  EXPECT_EQ(query->token, "t");
  EXPECT_EQ(query->key_prefix, "app||");
  EXPECT_EQ(query->max_scan, 7u);
}

TEST(QueryFromProtoTest, RefusesWhatIsMalformedAndSaysWhere) {
  EXPECT_THAT(QueryFromProto({}, Filtered("IN", R"({"a":[]})")),
              StatusIs(kInvalidArgument, HasSubstr("at filter.IN")));
  EXPECT_THAT(QueryFromProto({}, Filtered("EQ", "")),
              StatusIs(kInvalidArgument, HasSubstr("at filter.EQ: no JSON")));
  wire::QueryRequest two = Filtered("EQ", R"({"a":1})");
  (*two.mutable_query()->mutable_filter())["GT"].set_value(R"({"a":1})");
  EXPECT_THAT(QueryFromProto({}, two),
              StatusIs(kInvalidArgument, HasSubstr("2 operators")));
  wire::QueryRequest sorted;
  sorted.mutable_query()->add_sort()->set_order(
      static_cast<wire::Sorting::Order>(2));
  EXPECT_THAT(QueryFromProto({}, sorted),
              StatusIs(kInvalidArgument, HasSubstr("at sort[0].order")));
  wire::QueryRequest paged;
  for (const int64_t limit : {int64_t{-1}, Query::kMaxLimit + 1}) {
    paged.mutable_query()->mutable_pagination()->set_limit(limit);
    EXPECT_THAT(QueryFromProto({}, paged),
                StatusIs(kInvalidArgument,
                         HasSubstr(absl::StrCat("at page.limit: ", limit))));
  }
  paged.mutable_query()->mutable_pagination()->set_limit(Query::kMaxLimit);
  EXPECT_THAT(QueryFromProto({}, paged), IsOk());
}

TEST(QueryFromProtoTest, WantsAPrefixThatBoundsWhereTheInstanceDoes) {
  const InstanceSettings settings = {.query_require_prefix = true};
  wire::QueryRequest request = Filtered("EQ", R"({"a":1})");
  EXPECT_THAT(
      QueryFromProto(settings, request),
      StatusIs(kInvalidArgument, HasSubstr("the query has no keyPrefix")));
  (*request.mutable_metadata())["keyPrefix"] = "app|";
  EXPECT_THAT(QueryFromProto(settings, request),
              StatusIs(kInvalidArgument, HasSubstr("bounds nothing")));
  (*request.mutable_metadata())["keyPrefix"] = "app||";
  EXPECT_THAT(QueryFromProto(settings, request), IsOk());
}

TEST(PageToProtoTest, KeepsOrderAndToken) {
  QueryPage page;
  page.rows.push_back(Row("b", "1"));
  page.rows.back().item.etag = ETag(7);
  page.rows.back().item.content_type = "application/json";
  page.rows.push_back(Row("a", "2"));
  page.next_token = "t";
  const wire::QueryResponse response = PageToProto(std::move(page));
  ASSERT_EQ(response.items_size(), 2);
  EXPECT_EQ(response.items(0).key(), "b");
  EXPECT_EQ(response.items(0).data(), "1");
  EXPECT_EQ(response.items(0).etag().value(), "0000000000000007");
  EXPECT_EQ(response.items(0).content_type(), "application/json");
  EXPECT_EQ(response.items(0).error(), "");
  EXPECT_EQ(response.items(1).key(), "a");
  EXPECT_EQ(response.token(), "t");
}

TEST(PageToProtoTest, HasRoomForTheLargestValueThatIsWritten) {
  QueryPage page;
  page.rows.push_back(Row("k", std::string(kMaxValueSize - 1, '1')));
  page.next_token = std::string(QueryPage::kMaxTokenSize, 't');
  const wire::QueryResponse response = PageToProto(std::move(page));
  EXPECT_EQ(response.items(0).data().size(), kMaxValueSize - 1);
  EXPECT_LE(response.ByteSizeLong(), kMaxReplySize);
}

TEST(PageToProtoTest, LeavesOutARowThatDaprdCannotReceive) {
  QueryPage page;
  page.rows.push_back(Row("k", std::string(kMaxReplySize, '1')));
  const wire::QueryResponse response = PageToProto(std::move(page));
  ASSERT_EQ(response.items_size(), 1);
  EXPECT_EQ(response.items(0).key(), "k");
  EXPECT_EQ(response.items(0).data(), "");
  EXPECT_FALSE(response.items(0).has_etag());
  EXPECT_THAT(response.items(0).error(), HasSubstr("left out"));
}

}  // namespace
}  // namespace statecpp
