// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing through Dapr's rpcs, as daprd receives the answers. What
// the engine promises is tested in engine/; here is what the wire makes of it.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr grpc::StatusCode kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr char kStaleETag[] = "0123456789abcdef";

class ItemTest : public ServedStoreTest {
 protected:
  void SetUp() override {
    Serve();
    client_ = std::make_unique<Client>(socket_path());
    client_->MustInit();
  }

  Client& client() { return *client_; }

 private:
  std::unique_ptr<Client> client_;
};

// --- Reads.

// daprd tells the two apart by the Etag message alone.
TEST_F(ItemTest, AMissingKeyIsAnEmptyReplyAndAnEmptyValueHasAnETag) {
  ASSERT_THAT(client().SetKey("empty", ""), Succeeds());
  const auto missing = client().GetKey("missing");
  ASSERT_THAT(missing, Succeeds());
  EXPECT_EQ(missing.message.ByteSizeLong(), 0u);

  const auto empty = client().GetKey("empty");
  ASSERT_THAT(empty, Succeeds());
  EXPECT_THAT(empty.message.data(), IsEmpty());
  EXPECT_THAT(empty.message.etag().value(), MatchesRegex("[0-9a-f]{16}"));
}

TEST_F(ItemTest, AnItemComesBackAsItWasWritten) {
  const std::string value = {'\0', '\xff', '{', '\n'};
  wire::SetRequest set = Text(R"(key: "a||\"b\"" content_type: "text/x")");
  set.set_value(value);
  ASSERT_THAT(client().Set(set), Succeeds());
  const auto item = client().GetKey("a||\"b\"");
  EXPECT_EQ(item.message.data(), value);
  EXPECT_EQ(item.message.content_type(), "text/x");
  EXPECT_THAT(item.message.metadata(), IsEmpty());
}

TEST_F(ItemTest, ABulkReadAnswersEveryItemInItsPlace) {
  ASSERT_THAT(client().SetKey("a", "1"), Succeeds());
  ASSERT_THAT(client().SetKey("b", "2"), Succeeds());
  const auto reply = client().BulkGet(Text(R"(
      items { key: "b" }
      items { key: "missing" }
      items { key: "" }
      items { key: "a" }
      items { key: "b" }
      options { parallelism: 1 })"));
  ASSERT_THAT(reply, Succeeds());
  std::string answers;
  for (const wire::BulkStateItem& item : reply.message.items()) {
    absl::StrAppend(&answers, item.key(), "=", item.data(),
                    item.has_etag() ? "+" : "", item.error().empty() ? "" : "!",
                    " ");
  }
  EXPECT_EQ(answers, "b=2+ missing= =! a=1+ b=2+ ");
  EXPECT_THAT(reply.message.items(2).error(), HasSubstr("the key is empty"));
  EXPECT_EQ(reply.message.items(0).etag().value(), client().ETagOf("b"));
}

// daprd passes on what an app says of parallelism, sense or nonsense.
TEST_F(ItemTest, ABulkOfAnyParallelismIsTheSame) {
  for (const char* parallelism :
       {"-9223372036854775808", "-1", "0", "1", "9223372036854775807"}) {
    const std::string options =
        absl::StrCat("options { parallelism: ", parallelism, " }");
    EXPECT_THAT(client().BulkSet(Text(R"(items { key: "a" value: "1" }
                                         items { key: "b" value: "2" })" +
                                      options)),
                Succeeds());
    const auto reply = client().BulkGet(
        Text(R"(items { key: "b" } items { key: "a" })" + options));
    ASSERT_THAT(reply, Succeeds());
    EXPECT_EQ(reply.message.items(0).data(), "2");
    EXPECT_EQ(reply.message.items(1).data(), "1");
    EXPECT_THAT(client().BulkDelete(
                    Text(R"(items { key: "a" } items { key: "b" })" + options)),
                Succeeds());
    EXPECT_EQ(client().ValueOf("a"), "(none)");
  }
}

TEST_F(ItemTest, ABulkReadOfNothingIsNothing) {
  const auto reply = client().BulkGet(Text(""));
  ASSERT_THAT(reply, Succeeds());
  EXPECT_EQ(reply.message.ByteSizeLong(), 0u);
}

// --- Requests that are refused.

TEST_F(ItemTest, AnEmptyKeyIsRefusedByEveryCall) {
  for (const grpc::Status& status :
       {client().Get(Text("")).status,
        client().Set(Text(R"(value: "1")")).status,
        client().Delete(Text("")).status,
        client().BulkSet(Text(R"(items { value: "1" })")).status,
        client().BulkDelete(Text("items { }")).status,
        client().Transact(Text("operations { delete { } }")).status,
        client().Transact(Text("operations { set { } }")).status}) {
    EXPECT_THAT(status, FailsWith(kInvalid, HasSubstr("the key is empty")));
    EXPECT_THAT(status, ShowsHttp(400));
  }
}

TEST_F(ItemTest, ABadTimeToLiveIsNamedAndNothingIsWritten) {
  for (const char* ttl : {"foo", "1.5", "-2", "2147483648", "5m", " 5"}) {
    wire::SetRequest set = Text(R"(key: "a" value: "1")");
    (*set.mutable_metadata())["ttlInSeconds"] = ttl;
    const auto reply = client().Set(set);
    EXPECT_THAT(reply, FailsWith(kInvalid, AllOf(HasSubstr("\"ttlInSeconds\""),
                                                 HasSubstr(ttl),
                                                 HasSubstr("2147483647"))));
    EXPECT_THAT(reply, ShowsHttp(400));
  }
  EXPECT_EQ(client().ValueOf("a"), "(none)");
}

TEST_F(ItemTest, AnExpiryIsShownToTheSecondInUtc) {
  ASSERT_THAT(client().Set(Text(R"(key: "a" value: "1"
                  metadata { key: "ttlInSeconds" value: "3600" })")),
              Succeeds());
  const auto item = client().GetKey("a");
  ASSERT_THAT(item, Succeeds());
  const std::string text = item.message.metadata().at("ttlExpireTime");
  EXPECT_THAT(text, MatchesRegex("[0-9-]{10}T[0-9:]{8}Z"));
  absl::Time expires;
  std::string error;
  ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &expires, &error));
  EXPECT_LE(absl::AbsDuration(expires - absl::Now() - absl::Hours(1)),
            absl::Minutes(1));
}

TEST_F(ItemTest, AnUnknownConcurrencyIsRefused) {
  wire::SetRequest set = Text(R"(key: "a" value: "1")");
  set.mutable_options()->set_concurrency(
      static_cast<wire::StateOptions::StateConcurrency>(7));
  EXPECT_THAT(client().Set(set), FailsWith(kInvalid, HasSubstr("7")));
  EXPECT_EQ(client().ValueOf("a"), "(none)");
}

// --- ETags.

TEST_F(ItemTest, AStaleETagIsAMismatchForDaprAndNamesBoth) {
  ASSERT_THAT(client().SetKey("a", "1"), Succeeds());
  const std::string etag = client().ETagOf("a");
  const auto matcher = IsMismatch(
      AllOf(HasSubstr("\"a\""), HasSubstr(kStaleETag), HasSubstr(etag)));
  const std::string stale =
      absl::StrCat(R"(key: "a" etag { value: ")", kStaleETag, "\" }");
  EXPECT_THAT(client().Set(Text(stale)), matcher);
  EXPECT_THAT(client().Delete(Text(stale)), matcher);
  EXPECT_THAT(client().BulkSet(Text("items { " + stale + " }")), matcher);
  EXPECT_THAT(client().BulkDelete(Text("items { " + stale + " }")), matcher);
  EXPECT_EQ(client().ValueOf("a"), "1");
  EXPECT_EQ(client().ETagOf("a"), etag);
}

TEST_F(ItemTest, AnETagOfAnotherKindIsAMismatchToo) {
  ASSERT_THAT(client().SetKey("a", "1"), Succeeds());
  EXPECT_THAT(
      client().Set(Text(R"(key: "a" value: "2" etag { value: "bad-etag" })")),
      IsMismatch(AllOf(HasSubstr("bad-etag"), HasSubstr("16 hexadecimal"))));
  EXPECT_THAT(
      client().Set(Text(R"(key: "b" value: "2" etag { value: "bad-etag" })")),
      IsMismatch(HasSubstr("bad-etag")));
  EXPECT_EQ(client().ValueOf("a"), "1");
}

TEST_F(ItemTest, AnEmptyETagIsNone) {
  ASSERT_THAT(client().SetKey("a", "1"), Succeeds());
  EXPECT_THAT(client().Set(Text(R"(key: "a" value: "2" etag { })")),
              Succeeds());
  EXPECT_THAT(client().Delete(Text(R"(key: "a" etag { value: "" })")),
              Succeeds());
  EXPECT_EQ(client().ValueOf("a"), "(none)");
}

TEST_F(ItemTest, FirstWriteWinsOnce) {
  const wire::SetRequest first = Text(R"(key: "a" value: "1"
      options { concurrency: CONCURRENCY_FIRST_WRITE })");
  EXPECT_THAT(client().Set(first), Succeeds());
  EXPECT_THAT(client().Set(first), IsMismatch(HasSubstr("first-write")));
}

TEST_F(ItemTest, EveryWriteHasAnETagOfItsOwnThatGoesBackIn) {
  ASSERT_THAT(client().SetKey("a", "1"), Succeeds());
  for (int i = 0; i < 3; ++i) {
    const std::string etag = client().ETagOf("a");
    wire::SetRequest set = Text(R"(key: "a" value: "1")");
    set.mutable_etag()->set_value(etag);
    ASSERT_THAT(client().Set(set), Succeeds());
    EXPECT_NE(client().ETagOf("a"), etag);
    EXPECT_THAT(client().Set(set), IsMismatch(HasSubstr(etag)));
  }
}

// A text that is long, or not ASCII, still arrives at daprd.
TEST_F(ItemTest, AMismatchOfALongKeyIsStillAMismatch) {
  std::string key(60'000, 'k');
  key += "\xc3\xa4";
  ASSERT_THAT(client().SetKey(key, "1"), Succeeds());
  wire::SetRequest set;
  set.set_key(key);
  set.mutable_etag()->set_value(kStaleETag);
  EXPECT_THAT(client().Set(set), IsMismatch(HasSubstr("bytes left out")));
}

TEST_F(ItemTest, AMismatchOfManyKeysIsStillAMismatch) {
  wire::BulkSetRequest bulk;
  for (int i = 0; i < 1000; ++i) {
    wire::SetRequest& item = *bulk.add_items();
    item.set_key(absl::StrCat("orders||", i));
    item.mutable_etag()->set_value(kStaleETag);
  }
  EXPECT_THAT(client().BulkSet(bulk), IsMismatch(HasSubstr("1000 of 1000")));
}

// --- Bulk writes.

TEST_F(ItemTest, ABulkWriteWritesWhatItCanAndNamesTheRest) {
  ASSERT_THAT(client().SetKey("a", "1"), Succeeds());
  const auto reply = client().BulkSet(Text(R"(
      items { key: "a" value: "2" etag { value: "bad-etag" } }
      items { key: "b" value: "2" }
      items { key: "" value: "2" }
      items { key: "c" value: "2" })"));
  EXPECT_THAT(reply, IsMismatch(AllOf(HasSubstr("2 of 4"), HasSubstr("\"a\""),
                                      HasSubstr("the others were"),
                                      Not(HasSubstr("\"b\"")))));
  EXPECT_EQ(client().ValueOf("a"), "1");
  EXPECT_EQ(client().ValueOf("b"), "2");
  EXPECT_EQ(client().ValueOf("c"), "2");

  EXPECT_THAT(client().BulkDelete(Text(R"(
                  items { key: "a" etag { value: "bad-etag" } }
                  items { key: "b" }
                  items { key: "missing" })")),
              IsMismatch(HasSubstr("1 of 3")));
  EXPECT_EQ(client().ValueOf("a"), "1");
  EXPECT_EQ(client().ValueOf("b"), "(none)");
}

TEST_F(ItemTest, AKeyMayComeTwiceInABulkWriteAndTheLastOneCounts) {
  EXPECT_THAT(client().BulkSet(Text(R"(items { key: "a" value: "1" }
                                       items { key: "a" value: "2" })")),
              Succeeds());
  EXPECT_EQ(client().ValueOf("a"), "2");
}

TEST_F(ItemTest, AnAtomicBulkWriteIsAllOrNothing) {
  client().MustInit({{"bulkMode", "atomic"}});
  ASSERT_THAT(client().SetKey("a", "1"), Succeeds());
  EXPECT_THAT(client().BulkSet(Text(R"(
                  items { key: "b" value: "2" }
                  items { key: "a" value: "2" etag { value: "bad-etag" } })")),
              IsMismatch(HasSubstr("2 of 2")));
  EXPECT_THAT(client().BulkSet(Text(R"(items { key: "b" value: "2" }
                                       items { key: "" value: "2" })")),
              FailsWith(kInvalid, HasSubstr("2 of 2")));
  EXPECT_THAT(client().BulkDelete(Text(R"(
                  items { key: "a" }
                  items { key: "b" etag { value: "bad-etag" } })")),
              IsMismatch(_));
  EXPECT_EQ(client().ValueOf("a"), "1");
  EXPECT_EQ(client().ValueOf("b"), "(none)");
}

// --- Transactions.

TEST_F(ItemTest, OperationsOfATransactionSeeEarlierOnes) {
  ASSERT_THAT(client().SetKey("a", "1"), Succeeds());
  EXPECT_THAT(client().Transact(Text(R"(
                  operations { delete { key: "a" } }
                  operations { set { key: "b" value: "2" } }
                  operations { delete { key: "b" } }
                  operations { delete { key: "missing" } }
                  operations { set { key: "c" value: "3" } })")),
              Succeeds());
  EXPECT_EQ(client().ValueOf("a"), "(none)");
  EXPECT_EQ(client().ValueOf("b"), "(none)");
  EXPECT_EQ(client().ValueOf("c"), "3");
  EXPECT_THAT(client().Transact(Text("")), Succeeds());
}

// daprd shows an app this text and nothing else of the error.
TEST_F(ItemTest, AConflictInATransactionSaysItAllInItsText) {
  ASSERT_THAT(client().SetKey("b", "1"), Succeeds());
  const std::string etag = client().ETagOf("b");
  const auto reply = client().Transact(Text(absl::StrCat(
      R"(operations { set { key: "a" value: "2" } }
         operations { set { key: "b" value: "2" etag { value: ")",
      kStaleETag, "\" } } }")));
  EXPECT_THAT(
      reply,
      FailsWith(grpc::StatusCode::FAILED_PRECONDITION,
                AllOf(testing::StartsWith(
                          "possible etag mismatch in operation 2 of 2: "),
                      HasSubstr("\"b\""), HasSubstr(kStaleETag),
                      HasSubstr(etag), HasSubstr("nothing was written"))));
  EXPECT_THAT(reply, IsMismatch(HasSubstr("operation 2 of 2")));
  EXPECT_EQ(client().ValueOf("a"), "(none)");
  EXPECT_EQ(client().ValueOf("b"), "1");
}

TEST_F(ItemTest, ABadOperationRefusesItsTransaction) {
  EXPECT_THAT(client().Transact(Text(R"(
                  operations { set { key: "a" value: "1" } } operations { })")),
              FailsWith(kInvalid, AllOf(HasSubstr("operation 2 of 2"),
                                        HasSubstr("neither a set nor"))));
  EXPECT_EQ(client().ValueOf("a"), "(none)");
}

TEST_F(ItemTest, ATransactionHasAsManyOperationsAsTheInstanceAllows) {
  client().MustInit({{"maxTxnOps", "2"}});
  EXPECT_EQ(client().MultiMaxSize().message.max_size(), 2);
  const std::string set = R"(operations { set { key: "a" value: "1" } })";
  EXPECT_THAT(client().Transact(Text(set + set)), Succeeds());
  const auto reply = client().Transact(Text(set + set + set));
  EXPECT_THAT(reply, FailsWith(kInvalid, AllOf(HasSubstr("3 operations"),
                                               HasSubstr("maxTxnOps is 2"))));
  EXPECT_THAT(reply, ShowsHttp(400));
}

}  // namespace
}  // namespace statecpp
