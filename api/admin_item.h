// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_ADMIN_ITEM_H_
#define STATECPP_API_ADMIN_ITEM_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

// What an operator asks of the items of a store, and the answers (part of
// admin_message.h):
//
//   const AdminRequest request = {.data_dir = "orders",
//                                 .verb = ItemRequest{ItemRequest::Get{"k"}}};
namespace statecpp {

struct ItemRequest {
  // Answered by AdminRow.
  struct Get {
    std::string key;

    bool operator==(const Get&) const = default;
  };
  // Answered by AdminRow, of which key and ETag are set.
  struct Set {
    std::string key;
    std::string value = "";
    std::string content_type = "";
    // 0: it never expires.
    int64_t ttl_ms = 0;
    // What has to stand there now; empty: anything.
    std::string etag = "";
    // Nothing has to stand there now.
    bool first_write = false;

    bool operator==(const Set&) const = default;
  };
  struct Delete {
    std::string key;
    std::string etag = "";

    bool operator==(const Delete&) const = default;
  };
  // Answered by AdminRow for each key of one page, and AdminPage.
  struct List {
    // That of a KeyQuery.
    std::string pattern;
    std::string token = "";
    // At most this many; 0: as many as the answerer likes.
    uint64_t limit = 0;
    // With all that can be said of an item but its value.
    bool details = false;

    bool operator==(const List&) const = default;
  };
  // Answered by AdminWalked now and then, whose total is not known, and
  // AdminCount: the items whose keys begin with the prefix, which are deleted,
  // or only counted.
  struct DeletePrefix {
    std::string prefix;
    bool count_only = false;

    bool operator==(const DeletePrefix&) const = default;
  };

  using Verb = std::variant<Get, Set, Delete, List, DeletePrefix>;
  Verb verb;
};

// An item, or as much of it as was asked for. A value that is too long for a
// message comes in parts.
struct AdminRow {
  std::string key = "";
  std::string etag = "";
  std::string value = "";
  // More of the value of the row before; nothing else is set.
  bool is_rest = false;
  std::string content_type = "";
  // Milliseconds since 1970; nullopt: it never expires.
  std::optional<int64_t> expires_ms = std::nullopt;
  // Of the value, also where it is left out.
  uint64_t size = 0;
  // Nothing but the key can be read of it.
  bool is_damaged = false;

  bool operator==(const AdminRow&) const = default;
};
// Its rows have come.
struct AdminPage {
  std::string next_token;
  // Records on the way whose keys cannot be read.
  uint64_t damaged = 0;
};
struct AdminCount {
  uint64_t items;
};

}  // namespace statecpp

#endif  // STATECPP_API_ADMIN_ITEM_H_
