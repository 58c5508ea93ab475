// SPDX-License-Identifier: Apache-2.0
#include "server/item_admin.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/component_config.h"
#include "engine/errors.h"
#include "engine/key_pattern.h"
#include "engine/key_query.h"
#include "engine/write.h"
#include "server/errors.h"

namespace statecpp {
namespace {

// Of a value in one message; it has to stay below kMaxAdminMessage.
constexpr size_t kValuePart = 512 << 10;

// Keys that are looked for, or deleted, at a time.
constexpr uint64_t kPageSize = 1000;

// All that is said of an item, but its value.
AdminRow RowOf(absl::string_view key, const Item& item) {
  AdminRow row = {.key = std::string(key),
                  .etag = item.etag.ToString(),
                  .content_type = item.content_type,
                  .size = item.value.size()};
  if (item.expires.has_value()) {
    row.expires_ms = absl::ToUnixMillis(*item.expires);
  }
  return row;
}

Precondition PreconditionOf(const std::string& etag, bool first_write) {
  if (!etag.empty()) return Precondition::MatchText(etag);
  return first_write ? Precondition::Absent() : Precondition::None();
}

// Carries out one verb.
class Answer {
 public:
  Answer(Store& store, AdminListener& listener)
      : store_(store), listener_(listener) {}

  absl::Status operator()(const ItemRequest::Get& verb) {
    const Store::ReadResult item = store_.Get(verb.key);
    if (!item.ok()) return item.status();
    if (!item->has_value()) return error::NoItem(verb.key);
    return TellItem(verb.key, **item, listener_);
  }

  absl::Status operator()(const ItemRequest::Set& verb) {
    const uint64_t size =
        verb.key.size() + verb.value.size() + verb.content_type.size();
    if (size > kMaxValueSize) {
      return error::ValueTooLarge(verb.key, size, kMaxValueSize);
    }
    WriteOp op = {.key = verb.key,
                  .value = verb.value,
                  .content_type = verb.content_type,
                  .precondition = PreconditionOf(verb.etag, verb.first_write)};
    if (verb.ttl_ms != 0) op.ttl = absl::Milliseconds(verb.ttl_ms);
    const absl::StatusOr<ETag> etag = store_.Set(std::move(op));
    if (!etag.ok()) return etag.status();
    return Tell(AdminRow{.key = verb.key, .etag = etag->ToString()});
  }

  absl::Status operator()(const ItemRequest::Delete& verb) {
    // Only to say so: what is damaged, or comes meanwhile, is deleted, too.
    const Store::ReadResult item = store_.Get(verb.key);
    if (item.ok() && !item->has_value()) return error::NoItem(verb.key);
    return store_.Delete(
        {.key = verb.key, .precondition = PreconditionOf(verb.etag, false)});
  }

  absl::Status operator()(const ItemRequest::List& verb) {
    const uint64_t limit = verb.limit == 0 ? kPageSize : verb.limit;
    const absl::StatusOr<KeyPage> page =
        store_.ListKeys({.pattern = verb.pattern,
                         .page_size = std::min(limit, kPageSize),
                         .token = verb.token});
    if (!page.ok()) return page.status();
    for (const std::string& key : page->keys) {
      absl::Status told =
          verb.details ? TellDetails(key) : Tell(AdminRow{.key = key});
      if (!told.ok()) return told;
    }
    return Tell(AdminPage{.next_token = page->next_token,
                          .damaged = static_cast<uint64_t>(page->damaged)});
  }

  absl::Status operator()(const ItemRequest::DeletePrefix& verb) {
    if (verb.prefix.empty()) return error::EmptyPrefix();
    KeyQuery query = {.pattern = PatternOfPrefix(verb.prefix),
                      .page_size = kPageSize};
    int64_t items = 0;
    int64_t damaged = 0;
    do {
      absl::StatusOr<KeyPage> page = store_.ListKeys(query);
      if (!page.ok()) return page.status();
      if (!verb.count_only) {
        if (absl::Status deleted = DeleteAll(page->keys); !deleted.ok()) {
          return error::PrefixPartlyDeleted(deleted, verb.prefix, items);
        }
      }
      items += static_cast<int64_t>(page->keys.size());
      damaged += page->damaged;
      query.token = std::move(page->next_token);
      absl::Status told = Tell(AdminWalked{static_cast<uint64_t>(items), 0});
      if (!told.ok()) return told;
      if (listener_.LeavesWithin(absl::ZeroDuration())) {
        return error::AdminLeft();
      }
    } while (!query.token.empty());
    absl::Status told = Tell(AdminCount{static_cast<uint64_t>(items)});
    if (!told.ok() || damaged == 0 || verb.count_only) return told;
    return error::DamagedBelowPrefix(verb.prefix, damaged, items);
  }

 private:
  absl::Status Tell(const AdminReply& reply) {
    return listener_.Tell(reply) ? absl::OkStatus() : error::AdminLeft();
  }

  // Of an item that may have gone since it was listed.
  absl::Status TellDetails(const std::string& key) {
    const Store::ReadResult item = store_.Get(key);
    if (absl::IsDataLoss(item.status())) {
      return Tell(AdminRow{.key = key, .is_damaged = true});
    }
    if (!item.ok()) return item.status();
    return item->has_value() ? Tell(RowOf(key, **item)) : absl::OkStatus();
  }

  absl::Status DeleteAll(const std::vector<std::string>& keys) {
    std::vector<WriteOp> ops;
    for (const std::string& key : keys) {
      ops.push_back({.kind = WriteOp::Kind::kDelete, .key = key});
    }
    for (const Store::WriteResult& result : store_.BulkWrite(std::move(ops))) {
      if (!result.ok()) return result.status();
    }
    return absl::OkStatus();
  }

  Store& store_;
  AdminListener& listener_;
};

}  // namespace

absl::Status AnswerAboutItems(const ItemRequest::Verb& verb, Store& store,
                              AdminListener& listener) {
  return std::visit(Answer(store, listener), verb);
}

absl::Status TellItem(absl::string_view key, const Item& item,
                      AdminListener& listener) {
  AdminRow row = RowOf(key, item);
  row.value = item.value.substr(0, kValuePart);
  if (!listener.Tell(row)) return error::AdminLeft();
  for (size_t at = kValuePart; at < item.value.size(); at += kValuePart) {
    if (!listener.Tell(AdminRow{.value = item.value.substr(at, kValuePart),
                                .is_rest = true})) {
      return error::AdminLeft();
    }
  }
  return absl::OkStatus();
}

}  // namespace statecpp
