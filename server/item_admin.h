// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_ITEM_ADMIN_H_
#define STATECPP_SERVER_ITEM_ADMIN_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "api/admin_item.h"
#include "engine/item.h"
#include "engine/store.h"
#include "server/admin_listener.h"

namespace statecpp {

// Does what is asked of the items of an open store: the part of
// AnswerAboutStore that reads and writes as apps do, key by key.
//
// What an app's component sets, as its default time to live, is not applied
// here. No value is larger than any component allows (kMaxValueSize), for daprd
// could not read it.
//
// CANCELLED: the listener left. Of a prefix, part may be deleted.
// NOT_FOUND: there is no item to get or to delete.
// FAILED_PRECONDITION: another item stands there, or none; nothing was changed.
// INVALID_ARGUMENT: an item is too large, or a prefix empty.
// DATA_LOSS: the item is damaged, or what was to be deleted.
// Those of Store's calls.
absl::Status AnswerAboutItems(const ItemRequest::Verb& verb, Store& store,
                              AdminListener& listener);

// Tells all of an item, in as many parts as it takes. CANCELLED: the listener
// left.
absl::Status TellItem(absl::string_view key, const Item& item,
                      AdminListener& listener);

}  // namespace statecpp

#endif  // STATECPP_SERVER_ITEM_ADMIN_H_
