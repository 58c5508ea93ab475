// SPDX-License-Identifier: Apache-2.0
#include "api/admin_item_proto.h"

namespace statecpp {
namespace {

// Writes a verb into a message that has none yet.
class VerbWriter {
 public:
  explicit VerbWriter(v1::ItemRequest& message) : message_(message) {}

  void operator()(const ItemRequest::Get& verb) {
    message_.mutable_get()->set_key(verb.key);
  }
  void operator()(const ItemRequest::Set& verb) {
    v1::SetItem* const set = message_.mutable_set();
    set->set_key(verb.key);
    set->set_value(verb.value);
    set->set_content_type(verb.content_type);
    set->set_ttl_ms(verb.ttl_ms);
    set->set_etag(verb.etag);
    set->set_first_write(verb.first_write);
  }
  void operator()(const ItemRequest::Delete& verb) {
    message_.mutable_remove()->set_key(verb.key);
    message_.mutable_remove()->set_etag(verb.etag);
  }
  void operator()(const ItemRequest::List& verb) {
    v1::ListItems* const list = message_.mutable_list();
    list->set_pattern(verb.pattern);
    list->set_token(verb.token);
    list->set_limit(verb.limit);
    list->set_details(verb.details);
  }
  void operator()(const ItemRequest::DeletePrefix& verb) {
    message_.mutable_remove_prefix()->set_prefix(verb.prefix);
    message_.mutable_remove_prefix()->set_count_only(verb.count_only);
  }

 private:
  v1::ItemRequest& message_;
};

ItemRequest::Set SetFromProto(const v1::SetItem& message) {
  return {.key = message.key(),
          .value = message.value(),
          .content_type = message.content_type(),
          .ttl_ms = message.ttl_ms(),
          .etag = message.etag(),
          .first_write = message.first_write()};
}

ItemRequest::List ListFromProto(const v1::ListItems& message) {
  return {.pattern = message.pattern(),
          .token = message.token(),
          .limit = message.limit(),
          .details = message.details()};
}

}  // namespace

v1::ItemRequest ItemRequestToProto(const ItemRequest& request) {
  v1::ItemRequest message;
  std::visit(VerbWriter(message), request.verb);
  return message;
}

std::optional<ItemRequest> ItemRequestFromProto(
    const v1::ItemRequest& message) {
  switch (message.verb_case()) {
    case v1::ItemRequest::kGet:
      return ItemRequest{ItemRequest::Get{message.get().key()}};
    case v1::ItemRequest::kSet:
      return ItemRequest{SetFromProto(message.set())};
    case v1::ItemRequest::kRemove:
      return ItemRequest{
          ItemRequest::Delete{message.remove().key(), message.remove().etag()}};
    case v1::ItemRequest::kList:
      return ItemRequest{ListFromProto(message.list())};
    case v1::ItemRequest::kRemovePrefix:
      return ItemRequest{
          ItemRequest::DeletePrefix{message.remove_prefix().prefix(),
                                    message.remove_prefix().count_only()}};
    case v1::ItemRequest::VERB_NOT_SET:
      break;
  }
  return std::nullopt;
}

v1::Row RowToProto(const AdminRow& row) {
  v1::Row message;
  message.set_key(row.key);
  message.set_etag(row.etag);
  message.set_value(row.value);
  message.set_is_rest(row.is_rest);
  message.set_content_type(row.content_type);
  if (row.expires_ms.has_value()) message.set_expires_ms(*row.expires_ms);
  message.set_size(row.size);
  message.set_is_damaged(row.is_damaged);
  return message;
}

AdminRow RowFromProto(const v1::Row& message) {
  AdminRow row = {.key = message.key(),
                  .etag = message.etag(),
                  .value = message.value(),
                  .is_rest = message.is_rest(),
                  .content_type = message.content_type(),
                  .expires_ms = std::nullopt,
                  .size = message.size(),
                  .is_damaged = message.is_damaged()};
  if (message.has_expires_ms()) row.expires_ms = message.expires_ms();
  return row;
}

}  // namespace statecpp
