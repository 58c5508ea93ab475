// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_ADMIN_ITEM_PROTO_H_
#define STATECPP_API_ADMIN_ITEM_PROTO_H_

#include <optional>

#include "api/admin_item.h"
#include "statecpp/v1/admin.pb.h"

// Between admin_item.h and what is sent of it. Thread-safe.
namespace statecpp {

v1::ItemRequest ItemRequestToProto(const ItemRequest& request);
// nullopt: a verb that this program does not know.
std::optional<ItemRequest> ItemRequestFromProto(const v1::ItemRequest& message);

v1::Row RowToProto(const AdminRow& row);
AdminRow RowFromProto(const v1::Row& message);

}  // namespace statecpp

#endif  // STATECPP_API_ADMIN_ITEM_PROTO_H_
