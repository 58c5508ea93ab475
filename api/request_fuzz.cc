// SPDX-License-Identifier: Apache-2.0
//
// Requests as they come over the wire, with their metadata: what they become is
// within the limits of the engine, and says what they said.
#include <google/protobuf/stubs/logging.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "api/component_config.h"
#include "api/convert.h"
#include "api/metadata_value.h"
#include "api/query_request.h"
#include "api/request_metadata.h"
#include "tests/fuzz/fuzz_target.h"

namespace statecpp {
namespace {

// Smaller than the default, so that an input can pass them.
InstanceSettings SettingsOf(uint8_t how) {
  InstanceSettings settings;
  if ((how & 1) != 0) settings.max_value_size = 64;
  if ((how & 2) != 0) settings.default_ttl = absl::Seconds(7);
  if ((how & 4) != 0) settings.bulk_mode = BulkMode::kAtomic;
  if ((how & 8) != 0) settings.max_txn_ops = 2;
  if ((how & 16) != 0) settings.query_require_prefix = true;
  return settings;
}

// The first in order of those that are the name in another case.
const std::string* Find(const RequestMetadata& metadata,
                        const std::string& name) {
  if (const auto exact = metadata.find(name); exact != metadata.end()) {
    return &exact->second;
  }
  const std::map<std::string, std::string> sorted(metadata.begin(),
                                                  metadata.end());
  for (const auto& [key, value] : sorted) {
    if (absl::AsciiStrToLower(key) == absl::AsciiStrToLower(name)) {
      return &metadata.at(key);
    }
  }
  return nullptr;
}

void CheckMetadata(const RequestMetadata& metadata) {
  for (const char* name : {"ttlInSeconds", "contentType", "keyPrefix"}) {
    Expect(FindMetadata(metadata, name) == Find(metadata, name),
           "metadata is found by its name");
  }
}

void ExpectRefusal(const absl::Status& status) {
  Expect(absl::IsInvalidArgument(status), "the request is to blame");
}

void CheckSet(const InstanceSettings& settings, const wire::SetRequest& request,
              const absl::StatusOr<WriteOp>& op) {
  if (!op.ok()) return ExpectRefusal(op.status());
  Expect(op->kind == WriteOp::Kind::kSet && !op->key.empty(),
         "a set has a key");
  Expect(op->key == request.key() && op->value == request.value(),
         "key and value are those of the request");
  Expect(op->key.size() + op->value.size() + op->content_type.size() <=
             settings.max_value_size,
         "a set is within the limit");
  Expect(!op->ttl.has_value() || *op->ttl > absl::ZeroDuration(),
         "a time to live is some time");
  const std::string* ttl = Find(request.metadata(), "ttlInSeconds");
  if (ttl != nullptr && !ttl->empty()) {
    const std::optional<Ttl> given = ParseTtl(*ttl);
    Expect(given.has_value() && *given == op->ttl,
           "a time to live is that of the metadata");
  } else if (!absl::StrContains(op->key, "dapr.internal.")) {
    Expect(op->ttl == settings.default_ttl, "without one it is the default");
  }
  const bool has_etag = !request.etag().value().empty();
  Expect((op->precondition.kind == Precondition::Kind::kMatch) == has_etag,
         "an ETag decides");
  Expect(!has_etag || op->precondition.etag == request.etag().value(),
         "it is that of the request");
}

template <typename Message>
std::optional<Message> Parse(absl::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return std::nullopt;
  }
  return message;
}

void Set(const InstanceSettings& settings, absl::string_view bytes) {
  const auto request = Parse<wire::SetRequest>(bytes);
  if (!request.has_value()) return;
  CheckMetadata(request->metadata());
  CheckSet(settings, *request,
           SetFromProto(settings, wire::SetRequest(*request)));
}

void Transact(const InstanceSettings& settings, absl::string_view bytes) {
  auto request = Parse<wire::TransactionalStateRequest>(bytes);
  if (!request.has_value()) return;
  CheckMetadata(request->metadata());
  const int count = request->operations_size();
  const auto ops = TransactionFromProto(settings, *std::move(request));
  if (!ops.ok()) return ExpectRefusal(ops.status());
  Expect(ops->size() == static_cast<size_t>(count), "no operation is lost");
  Expect(settings.max_txn_ops == 0 || count <= settings.max_txn_ops,
         "a transaction is within the limit");
}

void BulkSet(const InstanceSettings& settings, absl::string_view bytes) {
  auto request = Parse<wire::BulkSetRequest>(bytes);
  if (!request.has_value()) return;
  const auto items = static_cast<size_t>(request->items_size());
  const auto bulk = BulkSetFromProto(settings, *std::move(request));
  if (!bulk.ok()) {
    Expect(settings.bulk_mode == BulkMode::kAtomic, "each stands for itself");
    return ExpectRefusal(bulk.status());
  }
  Expect(bulk->items.size() == items && bulk->ops.size() <= items,
         "no item is lost");
}

void BulkGet(absl::string_view bytes) {
  auto request = Parse<wire::BulkGetRequest>(bytes);
  if (!request.has_value()) return;
  const int items = request->items_size();
  std::vector<absl::StatusOr<std::optional<Item>>> results;
  for (const absl::string_view key : KeysFromProto(*request)) {
    Item item;
    item.value = std::string(key);
    results.push_back(std::move(item));
  }
  const auto reply = ItemsToProto(*std::move(request), std::move(results));
  Expect(reply.ok() && reply->items_size() == items, "every item is answered");
  for (const wire::BulkStateItem& item : reply->items()) {
    Expect(
        item.key().empty() ? !item.error().empty() : item.data() == item.key(),
        "every key has its own value");
  }
}

void Delete(absl::string_view bytes) {
  const auto request = Parse<wire::DeleteRequest>(bytes);
  if (!request.has_value()) return;
  CheckMetadata(request->metadata());
  const auto op = DeleteFromProto(wire::DeleteRequest(*request));
  if (!op.ok()) return ExpectRefusal(op.status());
  Expect(op->kind == WriteOp::Kind::kDelete && op->key == request->key() &&
             op->precondition.kind != Precondition::Kind::kAbsent,
         "a delete is of its key");
}

void Ask(const InstanceSettings& settings, absl::string_view bytes) {
  const auto request = Parse<wire::QueryRequest>(bytes);
  if (!request.has_value()) return;
  CheckMetadata(request->metadata());
  const auto query = QueryFromProto(settings, *request);
  if (!query.ok()) return ExpectRefusal(query.status());
  const std::string* prefix = Find(request->metadata(), "keyPrefix");
  Expect(query->key_prefix == (prefix == nullptr ? "" : *prefix),
         "a prefix is that of the metadata");
  Expect(!settings.query_require_prefix || !query->key_prefix.empty(),
         "a query has the prefix that it needs");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  // It has a line to say of each text that is not UTF-8.
  static auto* const log = google::protobuf::SetLogHandler(nullptr);
  (void)log;
  const int what = input.Below(6);
  const InstanceSettings settings = SettingsOf(input.Byte());
  const absl::string_view bytes = input.Rest();
  switch (what) {
    case 0:
      return Set(settings, bytes);
    case 1:
      return Transact(settings, bytes);
    case 2:
      return BulkSet(settings, bytes);
    case 3:
      return BulkGet(bytes);
    case 4:
      return Delete(bytes);
    default:
      return Ask(settings, bytes);
  }
}

}  // namespace statecpp
