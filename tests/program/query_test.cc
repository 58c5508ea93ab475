// SPDX-License-Identifier: Apache-2.0
//
// Queries over the wire, as daprd sends them.
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr grpc::StatusCode kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr int kMebibyte = 1 << 20;

class QueryTest : public ServedStoreTest {
 protected:
  void SetUp() override {
    Serve();
    client_ = std::make_unique<Client>(socket_path());
    client().MustInit();
  }

  Client& client() { return *client_; }

  void Set(const std::string& key, const std::string& value) {
    EXPECT_THAT(client().SetKey(key, value), Succeeds());
  }

  static std::vector<std::string> KeysOf(
      const Reply<wire::QueryResponse>& reply) {
    EXPECT_THAT(reply, Succeeds());
    std::vector<std::string> keys;
    for (const auto& item : reply.message.items()) keys.push_back(item.key());
    return keys;
  }

  std::unique_ptr<Client> client_;
};

// The Any has a value and no type: daprd's quirk.
TEST_F(QueryTest, AnswersWithItemsAsTheyAreStored) {
  EXPECT_THAT(client().Set(Text(R"(key: "app||a" value: " {\"x\":\"<b>\"}"
                                   content_type: "application/json")")),
              Succeeds());
  Set("app||b", R"({"x":"c"})");
  const auto reply = client().Query(Text(
      R"(query { filter {
           key: "EQ" value { value: "{\"x\":\"\\u003cb\\u003e\"}" } } })"));
  ASSERT_THAT(KeysOf(reply), ElementsAre("app||a"));
  const wire::QueryItem& item = reply.message.items(0);
  EXPECT_EQ(item.data(), R"( {"x":"<b>"})");
  EXPECT_EQ(item.etag().value(), client().ETagOf("app||a"));
  EXPECT_EQ(item.content_type(), "application/json");
  EXPECT_EQ(item.error(), "");
  EXPECT_EQ(reply.message.token(), "");
}

TEST_F(QueryTest, ReturnsAllThatIsJsonWithoutAFilter) {
  Set("a", "1");
  Set("b", "\x01");
  Set("c", "\"c\"");
  EXPECT_THAT(KeysOf(client().Query(Text(""))), ElementsAre("a", "c"));
  EXPECT_THAT(KeysOf(client().Query(Text("query {}"))), ElementsAre("a", "c"));
}

TEST_F(QueryTest, SortsAndPages) {
  for (int i = 0; i < 5; ++i) {
    Set(absl::StrCat("k", i), absl::StrCat(R"({"n":)", i % 2, "}"));
  }
  wire::QueryRequest request = Text(
      R"(query { sort { key: "n" order: DESC } pagination { limit: 2 } }
         metadata { key: "queryIndexName" value: "i" })");
  auto reply = client().Query(request);
  EXPECT_THAT(KeysOf(reply), ElementsAre("k1", "k3"));
  request.mutable_query()->mutable_pagination()->set_token(
      reply.message.token());
  reply = client().Query(request);
  EXPECT_THAT(KeysOf(reply), ElementsAre("k0", "k2"));

  // A token leads on after a restart, too.
  Serve();
  client_ = std::make_unique<Client>(socket_path());
  request.mutable_query()->mutable_pagination()->set_token(
      reply.message.token());
  reply = client().Query(request);
  EXPECT_THAT(KeysOf(reply), ElementsAre("k4"));
  EXPECT_EQ(reply.message.token(), "");
}

TEST_F(QueryTest, RefusesAnotherQuerysToken) {
  Set("a", "1");
  Set("b", "2");
  const auto reply = client().Query(Text("query { pagination { limit: 1 } }"));
  ASSERT_NE(reply.message.token(), "");
  wire::QueryRequest request = Text(R"(query { sort { key: "n" } })");
  request.mutable_query()->mutable_pagination()->set_token(
      reply.message.token());
  EXPECT_THAT(
      client().Query(request),
      AllOf(FailsWith(kInvalid, HasSubstr("begin again")), ShowsHttp(400)));
}

TEST_F(QueryTest, SaysWhereAMalformedQueryIsMalformed) {
  EXPECT_THAT(
      client().Query(Text(
          R"(query { filter { key: "AND" value { value:
             "[{\"EQ\":{\"a\":1}},{\"GT\":{\"b.c\":true}}]" } } })")),
      AllOf(FailsWith(kInvalid,
                      HasSubstr("malformed at filter.AND[1].GT: a number")),
            ShowsHttp(400)));
  EXPECT_THAT(
      client().Query(Text("query { pagination { limit: -1 } }")),
      AllOf(FailsWith(kInvalid, HasSubstr("page.limit")), ShowsHttp(400)));
}

TEST_F(QueryTest, CutsPagesBeforeDaprdsLimit) {
  const std::string value(3 * kMebibyte / 2, 'x');
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    Set(key, absl::StrCat("\"", value, "\""));
  }
  std::vector<std::string> keys;
  wire::QueryRequest request;
  do {
    const auto reply = client().Query(request);
    EXPECT_LT(reply.message.ByteSizeLong(), 4u * kMebibyte);
    for (std::string& key : KeysOf(reply)) keys.push_back(std::move(key));
    request.mutable_query()->mutable_pagination()->set_token(
        reply.message.token());
  } while (!request.query().pagination().token().empty() && keys.size() < 9);
  EXPECT_THAT(keys, ElementsAre("a", "b", "c", "d", "e"));
}

TEST_F(QueryTest, LooksBelowAPrefixAlone) {
  Set("one||a", "1");
  Set("two||a", "1");
  EXPECT_THAT(KeysOf(client().Query(
                  Text(R"(metadata { key: "keyPrefix" value: "one||" })"))),
              ElementsAre("one||a"));
  EXPECT_THAT(KeysOf(client().Query(
                  Text(R"(metadata { key: "keyprefix" value: "none||" })"))),
              IsEmpty());
}

TEST_F(QueryTest, CanBeForbiddenWithoutAPrefix) {
  client().MustInit({{"queryRequirePrefix", "true"}});
  Set("one||a", "1");
  EXPECT_THAT(client().Query(Text("")),
              AllOf(FailsWith(kInvalid, HasSubstr("queryRequirePrefix")),
                    ShowsHttp(400)));
  EXPECT_THAT(KeysOf(client().Query(
                  Text(R"(metadata { key: "keyPrefix" value: "one||" })"))),
              ElementsAre("one||a"));
}

TEST_F(QueryTest, IsBoundedByMaxScan) {
  client().MustInit({{"maxScan", "2"}});
  for (const char* key : {"one||a", "one||b", "two||a"}) Set(key, "1");
  EXPECT_THAT(client().Query(Text("")),
              AllOf(FailsWith(grpc::StatusCode::RESOURCE_EXHAUSTED,
                              HasSubstr("maxScan")),
                    ShowsHttp(422)));
  EXPECT_THAT(KeysOf(client().Query(
                  Text(R"(metadata { key: "keyPrefix" value: "one||" })"))),
              ElementsAre("one||a", "one||b"));
}

// However fast a machine is, it does not read 48 MiB in one slice of 20 ms.
TEST_F(QueryTest, EndsWhenTheInstancesTimeoutPasses) {
  const std::string value = absl::StrCat("\"", std::string(4000000, 'x'), "\"");
  for (int i = 0; i < 12; ++i) Set(absl::StrCat("k", i), value);
  client().MustInit({{"timeout", "10ms"}});
  EXPECT_THAT(
      client().Query(Text(R"(query { filter {
          key: "EQ" value { value: "{\"a\":1}" } } })")),
      FailsWith(grpc::StatusCode::DEADLINE_EXCEEDED, HasSubstr("keyPrefix")));
}

// More at a time than there are threads for them, while others write.
TEST_F(QueryTest, RunsBesideOtherCalls) {
  for (int i = 0; i < 50; ++i) {
    Set(absl::StrCat("still||", i), absl::StrCat(R"({"n":)", i, "}"));
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this] {
      Client other(socket_path());
      for (int i = 0; i < 20; ++i) {
        const auto reply = other.Query(Text(
            R"(query { filter { key: "LT" value { value: "{\"n\":25}" } } }
               metadata { key: "keyPrefix" value: "still||" })"));
        EXPECT_EQ(KeysOf(reply).size(), 25u);
      }
    });
  }
  for (int i = 0; i < 40; ++i) Set(absl::StrCat("moves||", i), "1");
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace statecpp
