// SPDX-License-Identifier: Apache-2.0
//
// `statecpp query`: items by what their values say, beside the server that has
// the store and without one.
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/offline_store.h"
#include "tests/program/program.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// docs/operations.md promises these.
constexpr int kUsage = 2;
constexpr int kNotFound = 3;
constexpr int kKeyRefused = 7;

class QueryVerbTest : public OfflineStoreTest {
 protected:
  using Items = std::vector<std::pair<std::string, std::string>>;

  void Make(const Items& items) {
    Serve();
    Client client(socket_path());
    client.MustInit();
    for (const auto& [key, value] : items) {
      ASSERT_THAT(client.SetKey(key, value), Succeeds());
    }
  }

  // Needs no key beside a server.
  Outcome QueryServed(std::vector<std::string> more) const {
    more.push_back("--json");
    return RunToEnd(VerbOptions("query", std::move(more)));
  }
  Outcome QueryHere(std::vector<std::string> more) const {
    more.push_back("--json");
    return RunToEnd(VerbOptionsWithKey("query", std::move(more)));
  }

  // What is said of rows, without their ETags.
  static std::string Rows(const Outcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    std::string rows;
    for (const absl::string_view line : absl::StrSplit(outcome.out, '\n')) {
      const size_t etag = line.find(",\"etag\":\"");
      if (etag == line.npos) continue;
      absl::StrAppend(&rows, line.substr(0, etag), line.substr(etag + 26),
                      "\n");
    }
    return rows;
  }

  static std::string TokenIn(const Outcome& outcome) {
    const std::string before = "more with --token ";
    const size_t at = outcome.err.find(before);
    if (at == std::string::npos) return "";
    const size_t from = at + before.size();
    return outcome.err.substr(from, outcome.err.find('\n', from) - from);
  }
};

TEST_F(QueryVerbTest, PrintsOneItemALineServedOrNot) {
  Make({{"app||a", "{\"x\":1,\n \"y\":\"\\n\"}\n"},
        {"app||\"b\"", R"({"x":2})"},
        {"app||c", "not JSON"},
        {"other||d", "4"}});
  const std::vector<std::string> above_0 = {R"({"filter":{"GT":{"x":0}},
      "sort":[{"key":"x","order":"DESC"}]})"};
  const std::string rows =
      "{\"key\":\"app||\\\"b\\\"\",\"data\":{\"x\":2}}\n"
      "{\"key\":\"app||a\",\"data\":{\"x\":1,  \"y\":\"\\n\"} }\n";
  EXPECT_EQ(Rows(QueryServed(above_0)), rows);
  EXPECT_THAT(QueryServed({}).out, HasSubstr("\"data\":4"));
  EXPECT_EQ(Rows(QueryServed({"--key-prefix", "other||"})),
            "{\"key\":\"other||d\",\"data\":4}\n");
  StopServing();
  EXPECT_EQ(Rows(QueryHere(above_0)), rows);
  EXPECT_EQ(Rows(QueryHere({"--key-prefix", "other||"})),
            "{\"key\":\"other||d\",\"data\":4}\n");
}

TEST_F(QueryVerbTest, PrintsKeyAndValueForPeopleServedOrNot) {
  Make({{"a", "{\"x\": 1,\n\"y\": \"\u009b2J\"}"}, {"b\n", "2"}});
  const std::string rows =
      "a  {\"x\": 1, \"y\": \"\\u009b2J\"}\n"
      "b\\n  2\n";
  EXPECT_EQ(RunToEnd(VerbOptions("query")).out, rows);
  EXPECT_EQ(
      TokenIn(RunToEnd(VerbOptions("query", {R"({"page":{"limit":2}})"}))), "");
  const Outcome one =
      RunToEnd(VerbOptions("query", {R"({"page":{"limit":1}})"}));
  EXPECT_EQ(one.out, rows.substr(0, rows.find('\n') + 1));
  EXPECT_NE(TokenIn(one), "");
  StopServing();
  EXPECT_EQ(RunToEnd(VerbOptionsWithKey("query")).out, rows);
}

TEST_F(QueryVerbTest, PrintsTheBytesOfAKeyThatIsNotUtf8) {
  Serve();
  Client(socket_path()).MustInit();
  ASSERT_EQ(RunToEnd(VerbOptions("set", {"a\xFF", "1"})).exit_code, 0);
  EXPECT_EQ(Rows(QueryServed({})),
            "{\"key\":\"a\uFFFD\",\"keyBase64\":\"Yf8=\",\"data\":1}\n");
}

TEST_F(QueryVerbTest, PrintsTheETagThatAReadGives) {
  Make({{"a", "1"}});
  EXPECT_THAT(QueryServed({}).out,
              HasSubstr(absl::StrCat("\"etag\":\"",
                                     Client(socket_path()).ETagOf("a"), "\"")));
}

// A value of 3 MiB does not fit into one message, three of them not on a page.
TEST_F(QueryVerbTest, PrintsAllPagesWhereNoLimitIsAsked) {
  Items items;
  for (const char letter : {'a', 'b', 'c'}) {
    items.push_back({std::string(1, letter),
                     absl::StrCat("\"", std::string(3 << 20, letter), "\"")});
  }
  Make(items);
  const Outcome outcome = QueryServed({});
  std::string want;
  for (const auto& [key, value] : items) {
    absl::StrAppend(&want, "{\"key\":\"", key, "\",\"data\":", value, "}\n");
  }
  EXPECT_TRUE(Rows(outcome) == want);
  EXPECT_EQ(TokenIn(outcome), "");
}

TEST_F(QueryVerbTest, PrintsOnePageAndWhatLeadsToTheNextWhereALimitIs) {
  Make({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  const std::string two = R"({"page":{"limit":2}})";
  const Outcome first = QueryServed({two});
  EXPECT_EQ(Rows(first),
            "{\"key\":\"a\",\"data\":1}\n{\"key\":\"b\",\"data\":2}\n");
  ASSERT_NE(TokenIn(first), "");
  const Outcome second = QueryServed({two, "--token", TokenIn(first)});
  EXPECT_EQ(Rows(second), "{\"key\":\"c\",\"data\":3}\n");
  EXPECT_EQ(TokenIn(second), "");
}

TEST_F(QueryVerbTest, ReadsTheQueryFromStandardInput) {
  Make({{"a", R"({"x":1})"}, {"b", R"({"x":2})"}});
  ProgramOptions options = VerbOptions("query", {"-", "--json"});
  options.input_file = data_root() + "/query.json";
  std::ofstream(options.input_file) << R"({"filter":{"EQ":{"x":2}}})";
  EXPECT_EQ(Rows(RunToEnd(options)), "{\"key\":\"b\",\"data\":{\"x\":2}}\n");
}

// More than a command line may have, so it comes on standard input.
TEST_F(QueryVerbTest, AQueryMayHave512Kibibytes) {
  Make({{"a", R"({"x":1})"}, {"b", R"({"x":2})"}});
  const auto query_of = [this](size_t size, const ProgramOptions& verb) {
    std::string query = R"({"filter":{"EQ":{"x":2}}})";
    query.append(size - query.size(), ' ');
    ProgramOptions options = verb;
    options.input_file = data_root() + "/query.json";
    std::ofstream(options.input_file) << query;
    return RunToEnd(options);
  };
  constexpr size_t kMost = 512 << 10;
  const std::string row = "{\"key\":\"b\",\"data\":{\"x\":2}}\n";
  const ProgramOptions served = VerbOptions("query", {"-", "--json"});
  EXPECT_EQ(Rows(query_of(kMost, served)), row);
  EXPECT_THAT(query_of(kMost + 1, served),
              Exits(kUsage, HasSubstr("the query has 524289 bytes; the limit "
                                      "is 524288; nothing was read")));
  StopServing();
  const ProgramOptions here = VerbOptionsWithKey("query", {"-", "--json"});
  EXPECT_EQ(Rows(query_of(kMost, here)), row);
  EXPECT_THAT(query_of(kMost + 1, here),
              Exits(kUsage, HasSubstr("the query has 524289 bytes")));
}

TEST_F(QueryVerbTest, SaysWhereAQueryIsMalformedBeforeAnythingIsOpened) {
  const std::string bad = R"({"filter":{"AND":[{"EQ":{"a":1}},{"LIKE":{}}]}})";
  EXPECT_THAT(QueryServed({bad}),
              Exits(kUsage, AllOf(HasSubstr("malformed at filter.AND[1]"),
                                  HasSubstr("\"LIKE\""))));
  EXPECT_THAT(QueryServed({"{"}), Exits(kUsage, HasSubstr("no JSON")));
}

TEST_F(QueryVerbTest, RefusesAForeignToken) {
  Make({{"a", "1"}});
  EXPECT_THAT(QueryServed({"--token", "3"}),
              Exits(kUsage, HasSubstr("begin again without a token")));
}

TEST_F(QueryVerbTest, NeedsAStoreAndItsKey) {
  EXPECT_THAT(QueryHere({}), Exits(kNotFound, HasSubstr("--data-root")));
  Make({{"a", "1"}});
  StopServing();
  if (!TestsAreSealed()) return;
  EXPECT_THAT(QueryServed({}), Exits(kKeyRefused, HasSubstr("no key")));
}

}  // namespace
}  // namespace statecpp
