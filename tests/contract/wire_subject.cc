// SPDX-License-Identifier: Apache-2.0
//
// The contract's cases against the program, over its socket, as daprd would put
// them.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/contract/subject.h"
#include "tests/program/client.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

class Server : public ServedStoreTest {
 public:
  Server() { Serve(); }
  using ServedStoreTest::socket_path;

 private:
  void TestBody() override {}
};

template <typename Request>
void AskFor(const Operation& operation, Request& request) {
  request.set_key(operation.key);
  if (operation.etag.has_value()) {
    request.mutable_etag()->set_value(*operation.etag);
  }
  // daprd sends options without a word in them, too.
  request.mutable_options()->set_concurrency(
      static_cast<wire::StateOptions::StateConcurrency>(operation.concurrency));
}

wire::SetRequest SetOf(const Operation& operation) {
  wire::SetRequest request;
  AskFor(operation, request);
  request.set_value(operation.value);
  request.set_content_type(operation.content_type);
  if (operation.ttl.has_value()) {
    (*request.mutable_metadata())["ttlInSeconds"] =
        absl::StrCat(*operation.ttl);
  }
  return request;
}

wire::DeleteRequest DeleteOf(const Operation& operation) {
  wire::DeleteRequest request;
  AskFor(operation, request);
  return request;
}

// What daprd would make of it. In a transaction only the code tells.
Verdict VerdictOf(const grpc::Status& status) {
  if (status.ok()) return Verdict::kDone;
  switch (status.error_code()) {
    case grpc::StatusCode::FAILED_PRECONDITION:
      return BadRequestOf(status).has_value() ? Verdict::kMismatch
                                              : Verdict::kFailed;
    case grpc::StatusCode::INVALID_ARGUMENT:
      return KitDetailOf(status).has_value() ? Verdict::kInvalid
                                             : Verdict::kFailed;
    default:
      ADD_FAILURE() << status.error_code() << ": " << status.error_message();
      return Verdict::kFailed;
  }
}

// A reply that is one of a missing key has nothing in it: an ETag, even an
// empty one, would say that there is an item.
template <typename Reply>
std::optional<Reading> ReadingOf(const Reply& reply) {
  if (!reply.has_etag()) {
    EXPECT_TRUE(reply.data().empty() && reply.metadata().empty() &&
                reply.content_type().empty())
        << reply.ShortDebugString();
    return std::nullopt;
  }
  return Reading{.value = reply.data(),
                 .etag = reply.etag().value(),
                 .content_type = reply.content_type(),
                 .expires = reply.metadata().contains("ttlExpireTime")};
}

class WireSubject final : public Subject {
 public:
  WireSubject() : client_(server_.socket_path()) { client_.MustInit(); }

  std::optional<Reading> Get(const std::string& key) override {
    const Reply<wire::GetResponse> reply = client_.GetKey(key);
    EXPECT_THAT(reply, Succeeds());
    return ReadingOf(reply.message);
  }
  Readings BulkGet(const std::vector<std::string>& keys) override {
    wire::BulkGetRequest request;
    for (const std::string& key : keys) request.add_items()->set_key(key);
    const Reply<wire::BulkGetResponse> reply = client_.BulkGet(request);
    EXPECT_THAT(reply, Succeeds());
    Readings readings;
    for (const wire::BulkStateItem& item : reply.message.items()) {
      // The n-th item is that of the n-th key.
      EXPECT_EQ(item.key(), keys[readings.size()]);
      EXPECT_EQ(item.error(), "");
      readings.push_back(ReadingOf(item));
    }
    return readings;
  }
  Verdict Write(const Operation& operation) override {
    return Judge(operation.kind == Operation::Kind::kSet
                     ? client_.Set(SetOf(operation)).status
                     : client_.Delete(DeleteOf(operation)).status);
  }
  Verdict Bulk(const std::vector<Operation>& operations) override {
    wire::BulkSetRequest sets;
    wire::BulkDeleteRequest deletes;
    for (const Operation& operation : operations) {
      if (operation.kind == Operation::Kind::kSet) {
        *sets.add_items() = SetOf(operation);
      } else {
        *deletes.add_items() = DeleteOf(operation);
      }
    }
    EXPECT_TRUE(sets.items().empty() || deletes.items().empty());
    return Judge(sets.items().empty() ? client_.BulkDelete(deletes).status
                                      : client_.BulkSet(sets).status);
  }
  Verdict Transact(const std::vector<Operation>& operations) override {
    wire::TransactionalStateRequest request;
    for (const Operation& operation : operations) {
      if (operation.kind == Operation::Kind::kSet) {
        *request.add_operations()->mutable_set() = SetOf(operation);
      } else {
        *request.add_operations()->mutable_delete_() = DeleteOf(operation);
      }
    }
    return Judge(client_.Transact(request).status);
  }
  std::optional<std::string> LastRefusal() const override {
    return last_refusal_;
  }
  // Its clock is the world's.
  void AwaitExpiry() override {
    const Operation last = {.key = "last to expire", .ttl = 2};
    EXPECT_EQ(Write(last), Verdict::kDone);
    EXPECT_TRUE(AwaitTrue([&] { return !Get(last.key).has_value(); }));
  }

 private:
  Verdict Judge(const grpc::Status& status) {
    if (!status.ok()) last_refusal_ = status.error_message();
    return VerdictOf(status);
  }

  Server server_;
  Client client_;
  std::string last_refusal_;
};

}  // namespace

std::unique_ptr<Subject> NewSubject() {
  return std::make_unique<WireSubject>();
}

}  // namespace statecpp
