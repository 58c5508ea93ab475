// SPDX-License-Identifier: Apache-2.0
//
// Queries of a whole store: which rows, in which order, on which page.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/query.h"
#include "engine/store.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/open_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/stored_records.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Keys = std::vector<std::string>;
constexpr absl::StatusCode kInvalidArgument =
    absl::StatusCode::kInvalidArgument;

class StoreQueryTest : public OpenStoreTest {
 protected:
  void Set(std::string key, std::string value) {
    EXPECT_THAT(store_->Set({.key = std::move(key), .value = std::move(value)}),
                IsOk());
  }
  void SetAll(const std::vector<std::pair<std::string, std::string>>& items) {
    std::vector<WriteOp> ops;
    for (const auto& [key, value] : items) {
      ops.push_back({.key = key, .value = value});
    }
    for (const auto& result : store_->BulkWrite(std::move(ops))) {
      EXPECT_THAT(result, IsOk());
    }
  }

  static Query Read(absl::string_view json) {
    const absl::StatusOr<Query> query = Query::FromJson(json);
    EXPECT_THAT(query, IsOk()) << json;
    return query.value_or(Query());
  }
  QueryPage Page(const Query& query) {
    const absl::StatusOr<QueryPage> page = store_->Query(query);
    EXPECT_THAT(page, IsOk());
    return page.ok() ? *page : QueryPage();
  }
  static Keys KeysOf(const QueryPage& page) {
    Keys keys;
    for (const QueryRow& row : page.rows) keys.push_back(row.key);
    return keys;
  }
  // The keys of all pages, put together.
  Keys Chain(Query query, size_t* pages = nullptr) {
    Keys keys;
    do {
      const QueryPage page = Page(query);
      EXPECT_TRUE(query.limit == 0 || page.rows.size() <= query.limit);
      for (std::string& key : KeysOf(page)) keys.push_back(std::move(key));
      query.token = page.next_token;
      EXPECT_LE(query.token.size(), QueryPage::kMaxTokenSize);
      if (pages != nullptr) ++*pages;
    } while (!query.token.empty());
    return keys;
  }
  Keys Chain(absl::string_view json) { return Chain(Read(json)); }

  std::string Place(const std::string& key) {
    // The one place that is there with the key and not without it.
    const absl::StatusOr<std::optional<Item>> item = store_->Get(key);
    EXPECT_TRUE(item.ok() && item->has_value());
    store_.reset();
    const Keys with = StoredPlaces(path_);
    Open();
    EXPECT_THAT(store_->Delete({.key = key}), IsOk());
    store_.reset();
    const Keys without = StoredPlaces(path_);
    Open();
    Set(key, (*item)->value);
    Keys place;
    std::set_difference(with.begin(), with.end(), without.begin(),
                        without.end(), std::back_inserter(place));
    EXPECT_THAT(place, SizeIs(1));
    return place.front();
  }
  void Damage(absl::string_view place) {
    store_.reset();
    DamageRecord(path_, place);
    Open();
  }

  // The rows of Dapr's documentation.
  void SetPeople() {
    const struct {
      const char* org;
      int id;
      const char* city;
      const char* state;
    } kPeople[] = {{"Dev Ops", 1036, "Seattle", "WA"},
                   {"Hardware", 1028, "Portland", "OR"},
                   {"Finance", 1071, "Sacramento", "CA"},
                   {"Dev Ops", 1042, "Spokane", "WA"},
                   {"Hardware", 1007, "Los Angeles", "CA"},
                   {"Finance", 1094, "Eugene", "OR"},
                   {"Dev Ops", 1015, "San Francisco", "CA"},
                   {"Hardware", 1077, "Redmond", "WA"},
                   {"Finance", 1002, "San Diego", "CA"},
                   {"Dev Ops", 1054, "New York", "NY"}};
    int key = 0;
    for (const auto& person : kPeople) {
      Set(absl::StrCat(++key),
          absl::StrCat(R"({"person": {"org": ")", person.org, R"(", "id": )",
                       person.id, R"(}, "city": ")", person.city,
                       R"(", "state": ")", person.state, R"("})"));
    }
  }
};

TEST_F(StoreQueryTest, AnswersTheFirstExampleOfDaprsDocumentation) {
  SetPeople();
  EXPECT_THAT(Chain(R"({"filter": {"EQ": {"state": "CA"}},
                        "sort": [{"key": "person.id", "order": "DESC"}]})"),
              ElementsAre("3", "7", "5", "9"));
}

TEST_F(StoreQueryTest, AnswersTheSecondExampleOfDaprsDocumentation) {
  SetPeople();
  Query query = Read(R"({
      "filter": {"OR": [
          {"EQ": {"person.org": "Dev Ops"}},
          {"AND": [{"EQ": {"person.org": "Finance"}},
                   {"IN": {"state": ["CA", "WA"]}}]}]},
      "sort": [{"key": "state", "order": "DESC"}, {"key": "person.id"}],
      "page": {"limit": 3}})");
  const QueryPage first = Page(query);
  EXPECT_THAT(KeysOf(first), ElementsAre("1", "4", "10"));
  ASSERT_NE(first.next_token, "");
  query.token = first.next_token;
  const QueryPage second = Page(query);
  EXPECT_THAT(KeysOf(second), ElementsAre("9", "7", "3"));
  EXPECT_EQ(second.next_token, "");
}

// The four queries of Dapr's conformance suite, on its rows.
TEST_F(StoreQueryTest, AnswersTheQueriesOfDaprsConformanceSuite) {
  SetAll({{"k-int", "123"},
          {"k-bool", "true"},
          {"k-bytes", "\x01"},
          {"k-string", "\"hello world\""},
          {"k-string-with-json", R"("{\"a\":\"b\"}")"},
          {"k-empty-string", "\"\""},
          {"k-struct", R"({"message":"testk"})"},
          {"k-struct-operations", R"({"product":{"value":15},
             "status":"ACTIVE","message":"kmessage"})"},
          {"k-struct-operations-inactive", R"({"product":{"value":12},
             "status":"INACTIVE","message":"kmessage"})"},
          {"k-struct-2", R"({"message":"ktest"})"},
          {"k-struct-with-int", R"({"message":42})"}});
  EXPECT_THAT(Chain(R"({"filter": {"OR": [
                  {"EQ": {"message": "dummy"}},
                  {"IN": {"message": ["testk", "dummy"]}}]}})"),
              ElementsAre("k-struct"));
  EXPECT_THAT(Chain(R"({"filter": {"AND": [
                  {"EQ": {"message": "kmessage"}},
                  {"GTE": {"product.value": 10}},
                  {"LT": {"product.value": 20}},
                  {"NEQ": {"status": "INACTIVE"}}]}})"),
              ElementsAre("k-struct-operations"));
  EXPECT_THAT(Chain(R"({"filter": {"OR": [
                  {"AND": [{"EQ": {"message": "kmessage"}},
                           {"GT": {"product.value": 11.1}},
                           {"EQ": {"status": "INACTIVE"}}]},
                  {"AND": [{"EQ": {"message": "kmessage"}},
                           {"LTE": {"product.value": 0.5}},
                           {"EQ": {"status": "ACTIVE"}}]}]}})"),
              ElementsAre("k-struct-operations-inactive"));
  EXPECT_THAT(Chain(R"({"filter": {"OR": [
                  {"EQ": {"message": "ktest"}},
                  {"IN": {"message": ["testk", "dummy"]}}]}})"),
              ElementsAre("k-struct", "k-struct-2"));
}

TEST_F(StoreQueryTest, ReturnsWhatAReadReturns) {
  const absl::StatusOr<ETag> etag =
      store_->Set({.key = "a",
                   .value = " {\"x\": 1.0}\n",
                   .content_type = "application/json",
                   .ttl = absl::Hours(1)});
  ASSERT_THAT(etag, IsOk());
  const QueryPage page = Page(Read(R"({"filter": {"EQ": {"x": 1}}})"));
  ASSERT_THAT(page.rows, SizeIs(1));
  EXPECT_EQ(page.rows[0].key, "a");
  EXPECT_EQ(page.rows[0].item.value, " {\"x\": 1.0}\n");
  EXPECT_EQ(page.rows[0].item.etag, *etag);
  EXPECT_EQ(page.rows[0].item.content_type, "application/json");
  EXPECT_EQ(page.rows[0].item.expires, clock_.Now() + absl::Hours(1));
}

TEST_F(StoreQueryTest, OrdersByKeyWithoutASort) {
  SetAll({{"b", "1"}, {"a", "2"}, {"a\xff", "3"}, {"a||z", "4"}, {"B", "5"}});
  EXPECT_THAT(Chain("{}"), ElementsAre("B", "a", "a||z", "a\xff", "b"));
  Query query;
  query.limit = 2;
  EXPECT_THAT(Chain(query), ElementsAre("B", "a", "a||z", "a\xff", "b"));
}

TEST_F(StoreQueryTest, OrdersTiesByKeyWhicheverWayItSorts) {
  SetAll({{"c", R"({"x": 1})"},
          {"a", R"({"x": 1.0})"},
          {"b", R"({"x": 2})"},
          {"d", R"({"x": 2})"}});
  EXPECT_THAT(Chain(R"({"sort": [{"key": "x"}]})"),
              ElementsAre("a", "c", "b", "d"));
  EXPECT_THAT(Chain(R"({"sort": [{"key": "x", "order": "DESC"}],
                        "page": {"limit": 1}})"),
              ElementsAre("b", "d", "a", "c"));
}

TEST_F(StoreQueryTest, OrdersTypesAndWhatIsMissing) {
  SetAll({{"text", R"({"x": ""})"},
          {"number", R"({"x": -5})"},
          {"true", R"({"x": true})"},
          {"false", R"({"x": false})"},
          {"null", R"({"x": null})"},
          {"missing", "{}"},
          {"bare", "7"},
          {"array", R"({"x": [1]})"},
          {"object", R"({"x": {}})"}});
  EXPECT_THAT(Chain(R"({"sort": [{"key": "x"}], "page": {"limit": 2}})"),
              ElementsAre("bare", "missing", "null", "false", "true", "number",
                          "text", "array", "object"));
  EXPECT_THAT(Chain(R"({"sort": [{"key": "x", "order": "DESC"}],
                "page": {"limit": 2}})"),
              ElementsAre("array", "object", "text", "number", "true", "false",
                          "null", "bare", "missing"));
}

TEST_F(StoreQueryTest, PassesOverWhatIsNotJson) {
  SetAll({{"bytes", std::string("\x01", 1)},
          {"cut", R"({"x": 1)"},
          {"cut behind", R"({"x": 1, "y": [1, 2)"},
          {"wrong behind", R"({"x": 1, "y": tru})"},
          {"more behind", R"({"x": 1} {})"},
          {"empty", ""},
          {"good", R"({"x": 1, "y": true})"},
          {"text", "\"x\""}});
  EXPECT_THAT(Chain("{}"), ElementsAre("good", "text"));
  EXPECT_THAT(Chain(R"({"filter": {"EQ": {"x": 1}}})"), ElementsAre("good"));
  EXPECT_THAT(Chain(R"({"sort": [{"key": "x"}]})"),
              ElementsAre("text", "good"));
}

TEST_F(StoreQueryTest, HidesWhatHasExpired) {
  EXPECT_THAT(store_->Set({.key = "a", .value = "1", .ttl = absl::Seconds(10)}),
              IsOk());
  Set("b", "2");
  EXPECT_THAT(Chain("{}"), ElementsAre("a", "b"));
  clock_.Advance(absl::Seconds(10));
  EXPECT_THAT(Chain("{}"), ElementsAre("b"));
}

TEST_F(StoreQueryTest, LooksOnlyBelowThePrefix) {
  SetAll({{"app||a", "1"}, {"app||b", "2"}, {"apple", "3"}, {"other||a", "4"}});
  Query query;
  query.key_prefix = "app||";
  EXPECT_THAT(Chain(query), ElementsAre("app||a", "app||b"));
  query.key_prefix = "app||b";
  EXPECT_THAT(Chain(query), ElementsAre("app||b"));
  query.key_prefix = "app";
  EXPECT_THAT(Chain(query), ElementsAre("apple", "app||a", "app||b"));
  query.key_prefix = "none||";
  EXPECT_THAT(Chain(query), IsEmpty());
}

TEST_F(StoreQueryTest, HasALastPageWithoutAToken) {
  SetAll({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
  for (const size_t limit : {0, 4, 5}) {
    Query query;
    query.limit = limit;
    EXPECT_EQ(Page(query).next_token, "") << limit;
  }
  Query query;
  query.limit = 2;
  size_t pages = 0;
  EXPECT_THAT(Chain(query, &pages), ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(pages, 2u);
}

TEST_F(StoreQueryTest, CutsAPageByItsBytes) {
  // A small row behind a large one waits with it for the next page.
  SetAll({{"a", absl::StrCat("\"", std::string(600, 'a'), "\"")},
          {"b", absl::StrCat("\"", std::string(600, 'b'), "\"")},
          {"c", "\"c\""},
          {"d", absl::StrCat("\"", std::string(3000, 'd'), "\"")},
          {"e", "\"e\""}});
  Query query;
  query.max_bytes = 1000;
  QueryPage page = Page(query);
  EXPECT_THAT(KeysOf(page), ElementsAre("a"));
  query.token = page.next_token;
  page = Page(query);
  EXPECT_THAT(KeysOf(page), ElementsAre("b", "c"));
  query.token = page.next_token;
  page = Page(query);
  EXPECT_THAT(KeysOf(page), ElementsAre("d"));
  query.token = page.next_token;
  page = Page(query);
  EXPECT_THAT(KeysOf(page), ElementsAre("e"));
  EXPECT_EQ(page.next_token, "");
}

TEST_F(StoreQueryTest, KeepsTokensShortAndOrderWhereTextsAreLong) {
  const std::string text(1000, 'x');
  const std::string key(60000, 'k');
  std::string paths = R"("sort": [)";
  std::string value = "{";
  for (size_t i = 0; i < Query::kMaxSortKeys; ++i) {
    absl::StrAppend(&paths, i == 0 ? "" : ",", R"({"key": "p)", i, R"("})");
    absl::StrAppend(&value, i == 0 ? "" : ",", "\"p", i, "\": \"", text, "\"");
  }
  for (int i = 0; i < 5; ++i) {
    Set(absl::StrCat(key, i), absl::StrCat(value, "}"));
  }
  const Keys all = Chain(absl::StrCat("{", paths, "]}"));
  EXPECT_THAT(all, SizeIs(5));
  EXPECT_EQ(Chain(absl::StrCat("{", paths, R"(], "page": {"limit": 1}})")),
            all);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 5u);
}

TEST_F(StoreQueryTest, PagesExactlyOnceWhatDoesNotChange) {
  std::mt19937_64 random(7);
  std::vector<std::pair<std::string, std::string>> items;
  for (int i = 0; i < 300; ++i) {
    items.push_back({absl::StrCat("still||", i),
                     absl::StrCat(R"({"x": )", random() % 20, "}")});
  }
  SetAll(items);
  const absl::string_view kQuery =
      R"({"sort": [{"key": "x", "order": "DESC"}], "page": {"limit": 7}})";
  const Keys still = Chain(kQuery);
  ASSERT_THAT(still, SizeIs(300));

  Query query = Read(kQuery);
  Keys seen;
  do {
    const QueryPage page = Page(query);
    for (const std::string& key : KeysOf(page)) {
      if (absl::StartsWith(key, "still||")) seen.push_back(key);
    }
    query.token = page.next_token;
    // Rows come, go and change their places before the next page.
    for (int i = 0; i < 5; ++i) {
      const std::string key = absl::StrCat("moves||", random() % 30);
      if (random() % 3 == 0) {
        EXPECT_THAT(store_->Delete({.key = key}), IsOk());
      } else {
        Set(key, absl::StrCat(R"({"x": )", random() % 20, "}"));
      }
    }
  } while (!query.token.empty());
  EXPECT_EQ(seen, still);
}

TEST_F(StoreQueryTest, RefusesTheTokenOfAnotherQuery) {
  SetAll({{"a||1", R"({"x": 1})"}, {"a||2", R"({"x": 1})"}});
  Query query = Read(R"({"filter": {"EQ": {"x": 1}}, "sort": [{"key": "x"}],
                         "page": {"limit": 1}})");
  query.key_prefix = "a||";
  query.token = Page(query).next_token;
  ASSERT_NE(query.token, "");
  const auto refuses =
      StatusIs(kInvalidArgument, HasSubstr("token is not one"));

  Query other = query;
  other.filter = *QueryFilter::FromJson(R"({"NEQ": {"x": 1}})");
  EXPECT_THAT(store_->Query(other), refuses);
  other = query;
  other.filter = QueryFilter();
  EXPECT_THAT(store_->Query(other), refuses);
  other = query;
  other.sort[0].descending = true;
  EXPECT_THAT(store_->Query(other), refuses);
  other = query;
  other.sort.clear();
  EXPECT_THAT(store_->Query(other), refuses);
  other = query;
  other.key_prefix = "a";
  EXPECT_THAT(store_->Query(other), refuses);
  other = query;
  other.token.back() = other.token.back() == 'A' ? 'B' : 'A';
  EXPECT_THAT(store_->Query(other), refuses);
  other.token = "3";
  EXPECT_THAT(store_->Query(other), refuses);
  other.token = store_->ListKeys({.pattern = "%", .page_size = 1})->next_token;
  EXPECT_THAT(store_->Query(other), refuses);

  // Limits may change, and so may the spelling.
  other = query;
  other.filter = *QueryFilter::FromJson(R"( {"EQ" : {"x":1.0}} )");
  other.limit = 5;
  other.max_bytes = 1000;
  EXPECT_THAT(KeysOf(Page(other)), ElementsAre("a||2"));
}

TEST_F(StoreQueryTest, TellsNothingInItsToken) {
  SetAll({{"secret-1", R"({"x": "hidden"})"}, {"secret-2", "{}"}});
  Query query = Read(R"({"sort": [{"key": "x"}], "page": {"limit": 1}})");
  std::string token;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(Page(query).next_token, &token));
  EXPECT_THAT(token, AllOf(Not(HasSubstr("secret")), Not(HasSubstr("hidden"))));
}

TEST_F(StoreQueryTest, StopsAtMaxScan) {
  SetAll({{"a||1", "1"}, {"a||2", "2"}, {"b||1", "3"}});
  Query query;
  query.max_scan = 2;
  EXPECT_THAT(store_->Query(query),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("more than 2 records"),
                             HasSubstr("maxScan"), HasSubstr("keyPrefix"))));
  query.max_scan = 3;
  EXPECT_THAT(Chain(query), SizeIs(3));
  query.max_scan = 2;
  query.key_prefix = "a||";
  EXPECT_THAT(Chain(query), SizeIs(2));
}

TEST_F(StoreQueryTest, StopsWhenItsCallerIsGoneOrTheDeadlinePasses) {
  Set("a", "1");
  const std::atomic<bool> cancelled = true;
  EXPECT_THAT(store_->Query({}, {.cancelled = &cancelled}),
              HasCode(absl::StatusCode::kCancelled));
  EXPECT_THAT(
      store_->Query({}, {.deadline = std::chrono::steady_clock::now()}),
      StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("keyPrefix")));
}

TEST_F(StoreQueryTest, FailsWhereARecordIsDamaged) {
  Set("a||short", R"({"x": 1})");
  Set("b||long", absl::StrCat("\"", std::string(2000, 'x'), "\""));
  Set("c||whole", R"({"x": 1})");
  const std::string of_short = Place("a||short");
  const std::string of_long = Place("b||long");
  Damage(of_long);
  Damage(of_short);
  EXPECT_THAT(store_->Query({}), HasCode(absl::StatusCode::kDataLoss));
  Query query;
  query.key_prefix = "b||";
  EXPECT_THAT(store_->Query(query),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("that of \"b||long\""),
                             HasSubstr("statecpp verify"))));
  query.key_prefix = "a||";
  EXPECT_THAT(store_->Query(query),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("whose key cannot be read")));
  query.key_prefix = "c||";
  EXPECT_THAT(Chain(query), ElementsAre("c||whole"));
}

TEST_F(StoreQueryTest, RefusesAMalformedSort) {
  Query query;
  query.sort = {{.path = "a"}, {.path = "b."}};
  EXPECT_THAT(store_->Query(query),
              StatusIs(kInvalidArgument, HasSubstr("at sort[1].key: \"b.\"")));
  query.sort.assign(Query::kMaxSortKeys + 1, {.path = "a"});
  EXPECT_THAT(store_->Query(query),
              StatusIs(kInvalidArgument, HasSubstr("at sort: 9 keys")));
}

TEST_F(StoreQueryTest, GoesOnAfterTheDataKeyChanges) {
  SetAll({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  Query query;
  query.limit = 1;
  query.token = Page(query).next_token;
  if (TestsAreSealed()) {
    EXPECT_THAT(store_->keys().Rotate(), IsOk());
  }
  store_.reset();
  Open();
  query.limit = 0;
  EXPECT_THAT(Chain(query), ElementsAre("b", "c"));
}

}  // namespace
}  // namespace statecpp
