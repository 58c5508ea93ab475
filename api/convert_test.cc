// SPDX-License-Identifier: Apache-2.0
//
// Each rule of Dapr's contract that a message alone decides.
#include "api/convert.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Kind = Precondition::Kind;
using Metadata = std::vector<std::pair<std::string, std::string>>;
using Found = absl::StatusOr<std::optional<Item>>;

wire::SetRequest SetOf(const std::string& key, const std::string& value,
                       const Metadata& metadata = {}) {
  wire::SetRequest request;
  request.set_key(key);
  request.set_value(value);
  request.mutable_metadata()->insert(metadata.begin(), metadata.end());
  return request;
}

wire::DeleteRequest DeleteOf(const std::string& key) {
  wire::DeleteRequest request;
  request.set_key(key);
  return request;
}

wire::BulkGetRequest BulkGetOf(const std::vector<std::string>& keys) {
  wire::BulkGetRequest request;
  for (const std::string& key : keys) request.add_items()->set_key(key);
  return request;
}

Item ItemOf(std::string value) {
  Item item;
  item.value = std::move(value);
  item.etag = ETag(0xe7);
  return item;
}

// The op of a request that must be accepted.
WriteOp Accepted(wire::SetRequest request,
                 const InstanceSettings& settings = {}) {
  absl::StatusOr<WriteOp> op = SetFromProto(settings, std::move(request));
  EXPECT_TRUE(op.ok()) << op.status();
  return op.ok() ? *std::move(op) : WriteOp();
}

// Expects INVALID_ARGUMENT with that HTTP status, and returns the text.
template <typename T>
std::string Refused(const absl::StatusOr<T>& result, int http_code = 400) {
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(error::HttpCode(result.status()), http_code);
  return std::string(result.status().message());
}

// --- Set ---------------------------------------------------------------------

TEST(SetFromProtoTest, CarriesKeyAndValue) {
  const std::string binary("\0\xff||", 4);
  const WriteOp op = Accepted(SetOf("app||k", binary));
  EXPECT_EQ(op.kind, WriteOp::Kind::kSet);
  EXPECT_EQ(op.key, "app||k");
  EXPECT_EQ(op.value, binary);
  EXPECT_EQ(op.content_type, "");
  EXPECT_EQ(op.ttl, std::nullopt);
  EXPECT_EQ(op.precondition.kind, Kind::kNone);
}

TEST(SetFromProtoTest, TakesAnEmptyValueForAValue) {
  EXPECT_EQ(Accepted(SetOf("k", "")).value, "");
}

TEST(SetFromProtoTest, DoesNotCopyTheValue) {
  wire::SetRequest request = SetOf("k", std::string(1 << 20, 'v'));
  const char* bytes = request.value().data();
  EXPECT_EQ(Accepted(std::move(request)).value.data(), bytes);
}

// Traps 9 and 24: an empty ETag is none, and options may be absent, empty or
// unspecified. With an ETag, nothing else counts.
TEST(SetFromProtoTest, DecidesThePreconditionByETagAndConcurrency) {
  enum class Given { kNothing, kEmpty, kText };
  for (const Given given : {Given::kNothing, Given::kEmpty, Given::kText}) {
    for (const int concurrency : {-1, 0, 1, 2}) {
      wire::SetRequest request = SetOf("k", "v");
      if (given != Given::kNothing) request.mutable_etag();
      if (given == Given::kText) request.mutable_etag()->set_value("bad-etag");
      if (concurrency >= 0) {
        request.mutable_options()->set_concurrency(
            static_cast<wire::StateOptions::StateConcurrency>(concurrency));
      }
      const Precondition expected =
          given == Given::kText ? Precondition::MatchText("bad-etag")
          : concurrency == wire::StateOptions::CONCURRENCY_FIRST_WRITE
              ? Precondition::Absent()
              : Precondition::None();
      const Precondition found = Accepted(std::move(request)).precondition;
      EXPECT_EQ(found.kind, expected.kind) << concurrency;
      EXPECT_EQ(found.etag, expected.etag);
    }
  }
}

TEST(SetFromProtoTest, ReadsTheContentTypeFromTheFieldOrElseFromMetadata) {
  wire::SetRequest both = SetOf("k", "v", {{"contentType", "text/plain"}});
  both.set_content_type("application/json");
  EXPECT_EQ(Accepted(both).content_type, "application/json");
  for (const std::string name : {"contentType", "contenttype", "CONTENTTYPE"}) {
    EXPECT_EQ(Accepted(SetOf("k", "v", {{name, "a/b"}})).content_type, "a/b");
  }
  EXPECT_EQ(Accepted(SetOf("k", "v",
                           {{"CONTENTTYPE", "a/b"}, {"contentType", "c/d"}}))
                .content_type,
            "c/d");
}

TEST(SetFromProtoTest, ReadsTheTimeToLiveAsDaprsStoresDo) {
  const std::pair<std::string, std::optional<absl::Duration>> cases[] = {
      {"1", absl::Seconds(1)}, {"2147483647", absl::Seconds(2147483647)},
      {"0", std::nullopt},     {"-1", std::nullopt},
      {"", absl::Seconds(60)},
  };
  const InstanceSettings settings = {.default_ttl = absl::Seconds(60)};
  for (const auto& [text, ttl] : cases) {
    EXPECT_EQ(Accepted(SetOf("k", "v", {{"ttlInSeconds", text}}), settings).ttl,
              ttl);
    EXPECT_EQ(Accepted(SetOf("k", "v", {{"TTLINSECONDS", text}}), settings).ttl,
              ttl);
  }
  EXPECT_EQ(Accepted(SetOf("k", "v"), settings).ttl, absl::Seconds(60));
  EXPECT_EQ(Accepted(SetOf("k", "v", {{"ttlInSeconds", ""}})).ttl,
            std::nullopt);
}

TEST(SetFromProtoTest, RefusesATimeToLiveThatIsNone) {
  for (const std::string text :
       {"foo", "-2", "2147483648", "1.5", "10s", " 1", "\xff"}) {
    EXPECT_THAT(
        Refused(
            SetFromProto({}, SetOf("order", "v", {{"ttlInSeconds", text}}))),
        AllOf(HasSubstr("ttlInSeconds"), HasSubstr("\"order\""),
              HasSubstr("whole seconds"), HasSubstr("nothing was written")));
  }
}

// A workflow's rows carry no time to live and must not get one.
TEST(SetFromProtoTest, KeepsTheDefaultTimeToLiveOffDaprsOwnActors) {
  const InstanceSettings settings = {.default_ttl = absl::Seconds(60)};
  const std::string own[] = {
      "app||dapr.internal.default.app.workflow||w1||metadata",
      "app||dapr.internal.default.app.activity||w1::0||activityState",
      "||dapr.internal.x||y"};
  for (const std::string& key : own) {
    EXPECT_EQ(Accepted(SetOf(key, "v"), settings).ttl, std::nullopt) << key;
    EXPECT_EQ(Accepted(SetOf(key, "v", {{"ttlInSeconds", "5"}}), settings).ttl,
              absl::Seconds(5));
  }
  const std::string others[] = {"k",
                                "app||k",
                                "app||dapr.internal.k",
                                "dapr.internal.app||k||x",
                                "app||MyActor||dapr.internal.x||k",
                                "app||dapr.internals||a||k",
                                "app||Dapr.internal.x||a||k",
                                "outbox-123"};
  for (const std::string& key : others) {
    EXPECT_EQ(Accepted(SetOf(key, "v"), settings).ttl, absl::Seconds(60))
        << key;
  }
}

TEST(SetFromProtoTest, RefusesAnEmptyKey) {
  EXPECT_THAT(Refused(SetFromProto({}, SetOf("", "v"))), HasSubstr("empty"));
}

// Trap 16: what daprd could not read again is not written.
TEST(SetFromProtoTest, CountsKeyValueAndContentTypeTowardsTheLimit) {
  const InstanceSettings settings = {.max_value_size = 10};
  const auto request = [](size_t value_size) {
    wire::SetRequest set = SetOf("key", std::string(value_size, 'v'));
    set.set_content_type("a/b");
    return set;
  };
  EXPECT_EQ(Accepted(request(4), settings).value, "vvvv");
  EXPECT_THAT(Refused(SetFromProto(settings, request(5)), 413),
              AllOf(HasSubstr("\"key\""), HasSubstr("11"), HasSubstr("10"),
                    HasSubstr("nothing was written")));
  EXPECT_THAT(
      Refused(SetFromProto({}, SetOf("k", std::string(4188160, 'v'))), 413),
      HasSubstr("4188160"));
}

TEST(SetFromProtoTest, RefusesAConcurrencyThatNobodyDefined) {
  wire::SetRequest request = SetOf("k", "v");
  request.mutable_options()->set_concurrency(
      static_cast<wire::StateOptions::StateConcurrency>(3));
  EXPECT_THAT(Refused(SetFromProto({}, std::move(request))),
              HasSubstr("concurrency of \"k\" is 3"));
}

// Trap 23; consistency changes nothing, whatever it is.
TEST(SetFromProtoTest, IgnoresMetadataAndOptionsItWasNotAskedFor) {
  wire::SetRequest request = SetOf(
      "k", "v", {{"partitionKey", "p"}, {"queryIndexName", "q"}, {"x", ""}});
  request.mutable_options()->set_consistency(
      static_cast<wire::StateOptions::StateConsistency>(7));
  EXPECT_EQ(Accepted(std::move(request)).precondition.kind, Kind::kNone);
}

// --- Delete ------------------------------------------------------------------

TEST(DeleteFromProtoTest, MatchesAnETagAndIgnoresFirstWrite) {
  wire::DeleteRequest request = DeleteOf("k");
  request.mutable_options()->set_concurrency(
      wire::StateOptions::CONCURRENCY_FIRST_WRITE);
  absl::StatusOr<WriteOp> op = DeleteFromProto(wire::DeleteRequest(request));
  ASSERT_TRUE(op.ok());
  EXPECT_EQ(op->kind, WriteOp::Kind::kDelete);
  EXPECT_EQ(op->key, "k");
  EXPECT_EQ(op->precondition.kind, Kind::kNone);

  request.mutable_etag();
  op = DeleteFromProto(wire::DeleteRequest(request));
  EXPECT_EQ(op->precondition.kind, Kind::kNone);

  request.mutable_etag()->set_value("e");
  op = DeleteFromProto(std::move(request));
  EXPECT_EQ(op->precondition.kind, Kind::kMatch);
  EXPECT_EQ(op->precondition.etag, "e");
}

TEST(DeleteFromProtoTest, RefusesAnEmptyKey) {
  EXPECT_THAT(Refused(DeleteFromProto(DeleteOf(""))), HasSubstr("empty"));
}

// --- Transaction -------------------------------------------------------------

TEST(TransactionFromProtoTest, KeepsTheOrderOfItsOperations) {
  wire::TransactionalStateRequest request;
  *request.add_operations()->mutable_delete_() = DeleteOf("a");
  *request.add_operations()->mutable_set() = SetOf("b", "1");
  *request.add_operations()->mutable_delete_() = DeleteOf("b");
  const auto ops = TransactionFromProto({}, std::move(request));
  ASSERT_TRUE(ops.ok()) << ops.status();
  ASSERT_THAT(*ops, SizeIs(3));
  EXPECT_EQ((*ops)[0].kind, WriteOp::Kind::kDelete);
  EXPECT_EQ((*ops)[0].key, "a");
  EXPECT_EQ((*ops)[1].kind, WriteOp::Kind::kSet);
  EXPECT_EQ((*ops)[1].value, "1");
  EXPECT_EQ((*ops)[2].key, "b");
}

TEST(TransactionFromProtoTest, TakesNoOperationsForATransaction) {
  const auto ops = TransactionFromProto({}, wire::TransactionalStateRequest());
  ASSERT_TRUE(ops.ok());
  EXPECT_THAT(*ops, IsEmpty());
}

// Trap 26.
TEST(TransactionFromProtoTest, RefusesAnOperationThatIsNeither) {
  wire::TransactionalStateRequest request;
  *request.add_operations()->mutable_set() = SetOf("a", "1");
  request.add_operations();
  EXPECT_THAT(Refused(TransactionFromProto({}, std::move(request))),
              AllOf(HasSubstr("2 of 2"), HasSubstr("neither"),
                    HasSubstr("nothing was written")));
}

TEST(TransactionFromProtoTest, RefusesMoreOperationsThanTheInstanceAllows) {
  const InstanceSettings settings = {.max_txn_ops = 2};
  wire::TransactionalStateRequest request;
  *request.add_operations()->mutable_set() = SetOf("a", "1");
  *request.add_operations()->mutable_set() = SetOf("b", "1");
  EXPECT_TRUE(
      TransactionFromProto(settings, wire::TransactionalStateRequest(request))
          .ok());
  *request.add_operations()->mutable_set() = SetOf("c", "1");
  EXPECT_THAT(Refused(TransactionFromProto(settings, std::move(request))),
              AllOf(HasSubstr("3"), HasSubstr("maxTxnOps is 2")));
}

TEST(TransactionFromProtoTest, NamesTheOperationThatIsNotValid) {
  wire::TransactionalStateRequest request;
  *request.add_operations()->mutable_set() = SetOf("a", "1");
  *request.add_operations()->mutable_set() =
      SetOf("b", std::string(4188160, 'v'));
  EXPECT_THAT(Refused(TransactionFromProto({}, std::move(request)), 413),
              AllOf(HasSubstr("2 of 2"), HasSubstr("\"b\"")));
}

// Trap 22. The other metadata of a transaction holds for none of its items.
TEST(TransactionFromProtoTest, AppliesItsContentTypeWhereAnOperationHasNone) {
  wire::TransactionalStateRequest request;
  (*request.mutable_metadata())["ContentType"] = "application/json";
  (*request.mutable_metadata())["ttlInSeconds"] = "5";
  *request.add_operations()->mutable_set() = SetOf("a", "1");
  *request.add_operations()->mutable_set() =
      SetOf("b", "1", {{"contentType", "text/plain"}});
  *request.add_operations()->mutable_set() = SetOf("c", "1");
  request.mutable_operations(2)->mutable_set()->set_content_type("a/b");
  *request.add_operations()->mutable_delete_() = DeleteOf("d");
  const auto ops = TransactionFromProto({}, std::move(request));
  ASSERT_TRUE(ops.ok());
  EXPECT_EQ((*ops)[0].content_type, "application/json");
  EXPECT_EQ((*ops)[0].ttl, std::nullopt);
  EXPECT_EQ((*ops)[1].content_type, "text/plain");
  EXPECT_EQ((*ops)[2].content_type, "a/b");
  EXPECT_EQ((*ops)[3].content_type, "");
}

// --- Bulk writes -------------------------------------------------------------

// One item that fails here, one that fails in the store, and a repeated key.
wire::BulkSetRequest BulkSetWithABadItem() {
  wire::BulkSetRequest request;
  *request.add_items() = SetOf("a", "1");
  *request.add_items() = SetOf("bad", "2", {{"ttlInSeconds", "foo"}});
  *request.add_items() = SetOf("c", "3");
  *request.add_items() = SetOf("a", "4");
  request.mutable_options()->set_parallelism(-1);  // trap 25
  return request;
}

TEST(BulkSetFromProtoTest, LeavesOutWhatIsNotValidAndTriesTheRest) {
  absl::StatusOr<BulkWrite> bulk = BulkSetFromProto({}, BulkSetWithABadItem());
  ASSERT_TRUE(bulk.ok());
  ASSERT_THAT(bulk->ops, SizeIs(3));
  EXPECT_EQ(bulk->ops[0].value, "1");
  EXPECT_EQ(bulk->ops[1].value, "3");
  EXPECT_EQ(bulk->ops[2].value, "4");

  const std::vector<absl::StatusOr<ETag>> results = {
      ETag(1), error::ETagMismatch("c", "bad-etag", std::nullopt), ETag(2)};
  const absl::Status status = BulkWriteStatus(*std::move(bulk), results);
  // Trap 14: the ETag decides, and each key that was not written is named.
  EXPECT_TRUE(error::IsETagMismatch(status));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("2 of 4"), HasSubstr("\"bad\""),
                    HasSubstr("\"c\""), Not(HasSubstr("\"a\""))));
}

TEST(BulkSetFromProtoTest, IsOkWhereEveryItemIs) {
  wire::BulkSetRequest request;
  *request.add_items() = SetOf("a", "1");
  absl::StatusOr<BulkWrite> bulk = BulkSetFromProto({}, std::move(request));
  ASSERT_TRUE(bulk.ok());
  EXPECT_TRUE(BulkWriteStatus(*std::move(bulk), {ETag(1)}).ok());
  bulk = BulkSetFromProto({}, wire::BulkSetRequest());
  ASSERT_TRUE(bulk.ok());
  EXPECT_TRUE(BulkWriteStatus(*std::move(bulk), {}).ok());
}

TEST(BulkSetFromProtoTest, FailsWholeWhereItemsStandTogether) {
  EXPECT_THAT(Refused(BulkSetFromProto({.bulk_mode = BulkMode::kAtomic},
                                       BulkSetWithABadItem())),
              AllOf(HasSubstr("2 of 4"), HasSubstr("ttlInSeconds"),
                    HasSubstr("nothing was written")));
}

TEST(BulkDeleteFromProtoTest, LeavesOutWhatIsNotValidAndTriesTheRest) {
  wire::BulkDeleteRequest request;
  *request.add_items() = DeleteOf("");
  *request.add_items() = DeleteOf("b");
  request.mutable_items(1)->mutable_etag()->set_value("e");
  absl::StatusOr<BulkWrite> bulk =
      BulkDeleteFromProto({}, wire::BulkDeleteRequest(request));
  ASSERT_TRUE(bulk.ok());
  ASSERT_THAT(bulk->ops, SizeIs(1));
  EXPECT_EQ(bulk->ops[0].precondition.etag, "e");
  EXPECT_THAT(Refused(absl::StatusOr<int>(
                  BulkWriteStatus(*std::move(bulk), {ETag(0)}))),
              HasSubstr("1 of 2"));
  EXPECT_THAT(Refused(BulkDeleteFromProto({.bulk_mode = BulkMode::kAtomic},
                                          std::move(request))),
              HasSubstr("1 of 2"));
}

// --- Reads -------------------------------------------------------------------

TEST(KeyFromProtoTest, RefusesAnEmptyKey) {
  wire::GetRequest request;
  EXPECT_THAT(Refused(KeyFromProto(request)), HasSubstr("empty"));
  request.set_key("k");
  EXPECT_EQ(KeyFromProto(request).value(), "k");
}

wire::GetResponse ReplyOf(std::optional<Item> item) {
  wire::GetResponse response;
  ItemToProto(std::move(item), response);
  return response;
}

// Traps 8 and 13: missing is an empty reply, and only the Etag message tells it
// from an empty value.
TEST(ItemToProtoTest, TellsMissingFromEmpty) {
  const wire::GetResponse missing = ReplyOf(std::nullopt);
  EXPECT_FALSE(missing.has_etag());
  EXPECT_EQ(missing.ByteSizeLong(), 0u);
  const wire::GetResponse empty = ReplyOf(ItemOf(""));
  EXPECT_EQ(empty.data(), "");
  EXPECT_EQ(empty.etag().value(), "00000000000000e7");
}

TEST(ItemToProtoTest, CarriesAllOfAnItemAndDoesNotCopyItsValue) {
  Item item = ItemOf(std::string(1 << 20, 'v'));
  item.content_type = "a/b";
  const char* bytes = item.value.data();
  const wire::GetResponse response = ReplyOf(std::move(item));
  EXPECT_EQ(response.data().data(), bytes);
  EXPECT_EQ(response.content_type(), "a/b");
  EXPECT_THAT(response.metadata(), IsEmpty());
}

TEST(ItemToProtoTest, SaysWhenAnItemExpiresInSecondsOfUtc) {
  Item item = ItemOf("v");
  item.expires = absl::FromUnixMillis(1790000000999);
  const wire::GetResponse response = ReplyOf(item);
  ASSERT_THAT(response.metadata(), SizeIs(1));
  EXPECT_EQ(response.metadata().at("ttlExpireTime"), "2026-09-21T14:13:20Z");
}

// Trap 15; trap 25 for `parallelism`.
TEST(ItemsToProtoTest, AnswersEachItemInOrderWithItsKey) {
  wire::BulkGetRequest request = BulkGetOf({"b", "", "gone", "b", "bad"});
  request.mutable_options()->set_parallelism(-3);
  const auto keys = KeysFromProto(request);
  EXPECT_EQ((std::vector<std::string>(keys.begin(), keys.end())),
            (std::vector<std::string>{"b", "gone", "b", "bad"}));

  Item item = ItemOf("v");
  item.expires = absl::FromUnixSeconds(1790000000);
  item.content_type = "a/b";
  const auto response = ItemsToProto(
      std::move(request), {Found(item), Found(std::nullopt), Found(item),
                           Found(error::RecordDamaged("why"))});
  ASSERT_TRUE(response.ok());
  ASSERT_THAT(response->items(), SizeIs(5));
  for (const int i : {0, 3}) {
    const wire::BulkStateItem& found = response->items(i);
    EXPECT_EQ(found.key(), "b");
    EXPECT_EQ(found.data(), "v");
    EXPECT_EQ(found.etag().value(), "00000000000000e7");
    EXPECT_EQ(found.content_type(), "a/b");
    EXPECT_EQ(found.metadata().at("ttlExpireTime"), "2026-09-21T14:13:20Z");
    EXPECT_EQ(found.error(), "");
  }
  EXPECT_EQ(response->items(1).key(), "");
  EXPECT_THAT(response->items(1).error(), HasSubstr("empty"));
  EXPECT_EQ(response->items(2).key(), "gone");
  EXPECT_FALSE(response->items(2).has_etag());
  EXPECT_EQ(response->items(2).error(), "");
  EXPECT_EQ(response->items(4).key(), "bad");
  EXPECT_THAT(response->items(4).error(), HasSubstr("damaged"));
  EXPECT_FALSE(response->items(4).has_etag());
}

// Trap 16. The largest value that may be written can be read, also in bulk.
TEST(ItemsToProtoTest, FitsTheLargestValueThereIs) {
  Item item = ItemOf(std::string(kMaxValueSize - 4, 'v'));
  item.content_type = "a/b";
  item.expires = absl::FromUnixSeconds(1790000000);
  EXPECT_LE(ReplyOf(item).ByteSizeLong(), kMaxReplySize);
  const auto response = ItemsToProto(BulkGetOf({"k"}), {Found(item)});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->items(0).data().size(), item.value.size());
}

TEST(ItemsToProtoTest, LeavesOutTheValuesThatPassTheLimitOfAReply) {
  const std::string mib(1 << 20, 'v');
  std::vector<std::string> keys;
  std::vector<Found> results;
  for (int i = 0; i < 6; ++i) {
    keys.push_back(absl::StrCat("large", i));
    results.push_back(ItemOf(mib));
  }
  keys.insert(keys.end(), {"small", "gone", "bad"});
  results.push_back(ItemOf("v"));
  results.push_back(std::nullopt);
  results.push_back(error::RecordDamaged(std::string(1000, 'x')));
  const auto response = ItemsToProto(BulkGetOf(keys), std::move(results));
  ASSERT_TRUE(response.ok());
  EXPECT_LE(response->ByteSizeLong(), kMaxReplySize);
  ASSERT_THAT(response->items(), SizeIs(9));
  for (int i = 0; i < 6; ++i) {
    const wire::BulkStateItem& item = response->items(i);
    EXPECT_EQ(item.key(), keys[i]);
    EXPECT_EQ(item.data().size(), i < 3 ? mib.size() : 0u);
    EXPECT_EQ(item.has_etag(), i < 3);
    if (i >= 3) {
      EXPECT_THAT(item.error(), AllOf(HasSubstr("limit of 4192256"),
                                      HasSubstr("fewer keys at a time")));
    }
  }
  EXPECT_EQ(response->items(6).data(), "v");
  EXPECT_EQ(response->items(7).error(), "");
  EXPECT_THAT(response->items(8).error(), StartsWith("the record is damaged"));
}

// A damaged record is told as such, however little room values leave it.
TEST(ItemsToProtoTest, NeverTakesDamageForALackOfRoom) {
  const auto response =
      ItemsToProto(BulkGetOf({"a", "b", "c"}),
                   {Found(ItemOf(std::string(kMaxReplySize - 3000, 'v'))),
                    Found(ItemOf(std::string(2000, 'v'))),
                    Found(error::RecordDamaged(std::string(1000, 'x')))});
  ASSERT_TRUE(response.ok());
  EXPECT_LE(response->ByteSizeLong(), kMaxReplySize);
  EXPECT_EQ(response->items(0).error(), "");
  EXPECT_THAT(response->items(1).error(), StartsWith("left out"));
  EXPECT_THAT(response->items(2).error(), StartsWith("the record is damaged"));
}

// Sweeps the sum over the limit byte by byte.
TEST(ItemsToProtoTest, NeverPassesTheLimitOfAReply) {
  int left_out = 0;
  for (size_t size = 4'192'000; size < 4'192'400; ++size) {
    const auto response =
        ItemsToProto(BulkGetOf({"a", "b", "c"}),
                     {Found(ItemOf(std::string(size / 2, 'v'))),
                      Found(ItemOf(std::string(size - size / 2, 'v'))),
                      Found(std::nullopt)});
    ASSERT_TRUE(response.ok());
    ASSERT_LE(response->ByteSizeLong(), kMaxReplySize);
    if (!response->items(1).error().empty()) ++left_out;
    ASSERT_EQ(response->items(0).error(), "");
  }
  EXPECT_GT(left_out, 0);
  EXPECT_LT(left_out, 400);
}

TEST(ItemsToProtoTest, FailsWholeWhereTheKeysAloneAreTooMany) {
  const std::vector<std::string> keys(100, std::string(50'000, 'k'));
  std::vector<Found> results(keys.size(), Found(std::nullopt));
  const auto response = ItemsToProto(BulkGetOf(keys), std::move(results));
  EXPECT_EQ(response.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(error::HttpCode(response.status()), 413);
  EXPECT_THAT(std::string(response.status().message()),
              AllOf(HasSubstr("100 keys"), HasSubstr("4194304"),
                    HasSubstr("fewer keys")));
}

}  // namespace
}  // namespace statecpp
