// SPDX-License-Identifier: Apache-2.0
#include "api/convert.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "api/errors.h"
#include "api/metadata_value.h"
#include "api/request_metadata.h"

namespace statecpp {
namespace {

std::string ContentTypeOf(wire::SetRequest& request) {
  if (!request.content_type().empty()) {
    return std::move(*request.mutable_content_type());
  }
  const std::string* hint = FindMetadata(request.metadata(), "contentType");
  return hint == nullptr ? "" : *hint;
}

// Whether a key is of one of Dapr's own actors, as workflows are:
// <app>||dapr.internal.<...>||<actor>||<key>.
bool IsDaprInternal(absl::string_view key) {
  const size_t app = key.find("||");
  if (app == key.npos) return false;
  const absl::string_view rest = key.substr(app + 2);
  return absl::StartsWith(rest, "dapr.internal.") &&
         absl::StrContains(rest, "||");
}

absl::StatusOr<Ttl> TtlOf(const InstanceSettings& settings,
                          const wire::SetRequest& request) {
  const std::string* text = FindMetadata(request.metadata(), "ttlInSeconds");
  if (text == nullptr || text->empty()) {
    if (IsDaprInternal(request.key())) return std::nullopt;
    return settings.default_ttl;
  }
  const std::optional<Ttl> ttl = ParseTtl(*text);
  if (!ttl.has_value()) return error::InvalidTtl(request.key(), *text);
  return *ttl;
}

// Takes the ETag out of a request; empty for none.
template <typename Request>
std::string TakeETag(Request& request) {
  if (!request.has_etag()) return "";
  return std::move(*request.mutable_etag()->mutable_value());
}

// What daprd never sends is refused, so that a first-write under a number of
// the future does not become a blind one.
template <typename Request>
absl::Status CheckKeyAndOptions(const Request& request) {
  if (request.key().empty()) return error::EmptyKey();
  const wire::StateOptions::StateConcurrency concurrency =
      request.options().concurrency();
  if (!wire::StateOptions::StateConcurrency_IsValid(concurrency)) {
    return error::UnknownConcurrency(request.key(), concurrency);
  }
  return absl::OkStatus();
}

absl::StatusOr<WriteOp> OperationFromProto(
    const InstanceSettings& settings, const std::string* content_type,
    wire::TransactionalStateOperation& operation) {
  switch (operation.request_case()) {
    case wire::TransactionalStateOperation::kSet: {
      wire::SetRequest& set = *operation.mutable_set();
      if (content_type != nullptr && set.content_type().empty() &&
          FindMetadata(set.metadata(), "contentType") == nullptr) {
        set.set_content_type(*content_type);
      }
      return SetFromProto(settings, std::move(set));
    }
    case wire::TransactionalStateOperation::kDelete:
      return DeleteFromProto(std::move(*operation.mutable_delete_()));
    case wire::TransactionalStateOperation::REQUEST_NOT_SET:
      break;
  }
  return error::NeitherSetNorDelete();
}

// The bulk write of `requests`, each made into an op by `convert`.
template <typename Requests, typename Convert>
absl::StatusOr<BulkWrite> BulkFromProto(BulkMode mode, Requests& requests,
                                        Convert convert) {
  BulkWrite bulk;
  const size_t count = requests.size();
  bulk.ops.reserve(count);
  bulk.items.reserve(count);
  for (auto& request : requests) {
    std::string key = request.key();
    absl::StatusOr<WriteOp> op = convert(std::move(request));
    if (!op.ok() && mode == BulkMode::kAtomic) {
      return error::TransactionRefused(op.status(), bulk.items.size(), count);
    }
    bulk.items.push_back({std::move(key), op.status()});
    if (op.ok()) bulk.ops.push_back(*std::move(op));
  }
  return bulk;
}

// What GetResponse and BulkStateItem have in common.
template <typename Message>
void FillItem(Item item, Message& message) {
  message.set_data(std::move(item.value));
  message.mutable_etag()->set_value(item.etag.ToString());
  message.set_content_type(std::move(item.content_type));
  if (!item.expires.has_value()) return;
  (*message.mutable_metadata())["ttlExpireTime"] = absl::FormatTime(
      "%Y-%m-%dT%H:%M:%SZ", *item.expires, absl::UTCTimeZone());
}

void FillResult(absl::StatusOr<std::optional<Item>>&& result,
                wire::BulkStateItem& item) {
  if (!result.ok()) {
    item.set_error(std::string(result.status().message()));
  } else if (result->has_value()) {
    FillItem(**std::move(result), item);
  }
}

// More than the tag and the length take that go before a field.
constexpr uint64_t kFieldFraming = 6;

uint64_t SizeInReply(const wire::BulkStateItem& item) {
  return item.ByteSizeLong() + kFieldFraming;
}

std::string LeftOutText() {
  return std::string(error::ItemPastReplyLimit(kMaxReplySize).message());
}

// The least that an item can be cut down to: of what was found, the value may
// be left out; what is missing or failed is always said.
uint64_t LeastInReply(const wire::BulkStateItem& item, size_t left_out_text) {
  const uint64_t size = SizeInReply(item);
  if (!item.has_etag()) return size;
  return std::min<uint64_t>(
      size, item.key().size() + left_out_text + 3 * kFieldFraming);
}

// Leaves out the values that the reply has no room for. Room for the least of
// every item is set aside first, so that the last of them fits, too.
absl::Status FitIntoReply(wire::BulkGetResponse& response) {
  if (response.ByteSizeLong() <= kMaxReplySize) return absl::OkStatus();

  const std::string left_out = LeftOutText();
  uint64_t least = 0;
  for (const wire::BulkStateItem& item : response.items()) {
    least += LeastInReply(item, left_out.size());
  }
  if (least > kMaxReplySize) {
    return error::ReplyPastLimit(response.items_size(), kMaxReplySize);
  }
  uint64_t room = kMaxReplySize - least;
  for (wire::BulkStateItem& item : *response.mutable_items()) {
    const uint64_t rest =
        SizeInReply(item) - LeastInReply(item, left_out.size());
    if (rest <= room) {
      room -= rest;
      continue;
    }
    std::string key = std::move(*item.mutable_key());
    item.Clear();
    item.set_key(std::move(key));
    item.set_error(left_out);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<absl::string_view> KeyFromProto(
    const wire::GetRequest& request) {
  if (request.key().empty()) return error::EmptyKey();
  return request.key();
}

void ItemToProto(std::optional<Item> item, wire::GetResponse& response) {
  if (item.has_value()) FillItem(*std::move(item), response);
}

std::vector<absl::string_view> KeysFromProto(
    const wire::BulkGetRequest& request) {
  std::vector<absl::string_view> keys;
  keys.reserve(request.items_size());
  for (const wire::GetRequest& item : request.items()) {
    if (!item.key().empty()) keys.push_back(item.key());
  }
  return keys;
}

absl::StatusOr<wire::BulkGetResponse> ItemsToProto(
    wire::BulkGetRequest&& request,
    std::vector<absl::StatusOr<std::optional<Item>>> results) {
  wire::BulkGetResponse response;
  response.mutable_items()->Reserve(request.items_size());
  size_t next = 0;
  for (wire::GetRequest& asked : *request.mutable_items()) {
    wire::BulkStateItem& item = *response.add_items();
    if (asked.key().empty()) {
      item.set_error(std::string(error::EmptyKey().message()));
      continue;
    }
    assert(next < results.size());
    item.set_key(std::move(*asked.mutable_key()));
    FillResult(std::move(results[next++]), item);
  }
  if (absl::Status status = FitIntoReply(response); !status.ok()) return status;
  return response;
}

absl::StatusOr<WriteOp> SetFromProto(const InstanceSettings& settings,
                                     wire::SetRequest&& request) {
  if (absl::Status status = CheckKeyAndOptions(request); !status.ok()) {
    return status;
  }
  absl::StatusOr<Ttl> ttl = TtlOf(settings, request);
  if (!ttl.ok()) return ttl.status();

  WriteOp op = {.kind = WriteOp::Kind::kSet, .ttl = *ttl};
  op.content_type = ContentTypeOf(request);
  const uint64_t size =
      request.key().size() + request.value().size() + op.content_type.size();
  if (size > settings.max_value_size) {
    return error::ValueTooLarge(request.key(), size, settings.max_value_size);
  }
  op.key = std::move(*request.mutable_key());
  op.value = std::move(*request.mutable_value());
  if (std::string etag = TakeETag(request); !etag.empty()) {
    op.precondition = Precondition::MatchText(std::move(etag));
  } else if (request.options().concurrency() ==
             wire::StateOptions::CONCURRENCY_FIRST_WRITE) {
    op.precondition = Precondition::Absent();
  }
  return op;
}

absl::StatusOr<WriteOp> DeleteFromProto(wire::DeleteRequest&& request) {
  if (absl::Status status = CheckKeyAndOptions(request); !status.ok()) {
    return status;
  }
  WriteOp op = {.kind = WriteOp::Kind::kDelete};
  op.key = std::move(*request.mutable_key());
  if (std::string etag = TakeETag(request); !etag.empty()) {
    op.precondition = Precondition::MatchText(std::move(etag));
  }
  return op;
}

absl::StatusOr<std::vector<WriteOp>> TransactionFromProto(
    const InstanceSettings& settings,
    wire::TransactionalStateRequest&& request) {
  const size_t count = request.operations_size();
  if (settings.max_txn_ops > 0 &&
      count > static_cast<uint64_t>(settings.max_txn_ops)) {
    return error::TransactionTooLong(count, settings.max_txn_ops);
  }
  const std::string* content_type =
      FindMetadata(request.metadata(), "contentType");
  std::vector<WriteOp> ops;
  ops.reserve(count);
  for (auto& operation : *request.mutable_operations()) {
    absl::StatusOr<WriteOp> op =
        OperationFromProto(settings, content_type, operation);
    if (!op.ok()) {
      return error::TransactionRefused(op.status(), ops.size(), count);
    }
    ops.push_back(*std::move(op));
  }
  return ops;
}

absl::StatusOr<BulkWrite> BulkSetFromProto(const InstanceSettings& settings,
                                           wire::BulkSetRequest&& request) {
  return BulkFromProto(settings.bulk_mode, *request.mutable_items(),
                       [&settings](wire::SetRequest&& item) {
                         return SetFromProto(settings, std::move(item));
                       });
}

absl::StatusOr<BulkWrite> BulkDeleteFromProto(
    const InstanceSettings& settings, wire::BulkDeleteRequest&& request) {
  return BulkFromProto(settings.bulk_mode, *request.mutable_items(),
                       DeleteFromProto);
}

absl::Status BulkWriteStatus(BulkWrite bulk,
                             absl::Span<const absl::StatusOr<ETag>> results) {
  std::vector<error::BulkFailure> failures;
  const size_t count = bulk.items.size();
  size_t next = 0;
  for (error::BulkFailure& item : bulk.items) {
    if (item.status.ok()) {
      assert(next < results.size());
      item.status = results[next++].status();
    }
    if (!item.status.ok()) failures.push_back(std::move(item));
  }
  return error::BulkPartlyFailed(failures, count);
}

}  // namespace statecpp
