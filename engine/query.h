// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_QUERY_H_
#define STATECPP_ENGINE_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/item.h"
#include "engine/query_filter.h"

namespace statecpp {

// By which field to sort, and whether the greatest comes first.
struct SortKey {
  std::string path;
  bool descending = false;
};

// Which items to return, by what their values say: those that are JSON (a bare
// number or string is) and match the filter. What is not JSON is passed over.
//
//   absl::StatusOr<Query> query = Query::FromJson(R"({
//       "filter": {"EQ": {"state": "CA"}},
//       "sort": [{"key": "person.id", "order": "DESC"}],
//       "page": {"limit": 2}})");
//   if (!query.ok()) return query.status();
//   query->key_prefix = "people||";
//   do {
//     absl::StatusOr<QueryPage> page = store.Query(*query);
//     if (!page.ok()) return page.status();
//     for (const QueryRow& row : page->rows) ...
//     query->token = page->next_token;
//   } while (!query->token.empty());
//
// Order: by the sort keys, first one first; then by key, as bytes. Under a
// path, from the least: nothing there, null, false, true, numbers, strings (by
// code point), objects and arrays, which are all the same. Of a string the
// first 256 bytes count, and of a key the first 512: behind these the order is
// the store's own, and always the same.
//
// Pages: an item that does not change is on exactly one page. One whose sort
// value changes between two pages may be on both or on none, as may one that
// comes or goes.
//
// Cost: each page reads every record below the prefix, in short snapshots, and
// keeps no more than the page in memory.
struct Query {
  static constexpr size_t kMaxSortKeys = 8;
  static constexpr int64_t kMaxLimit = 2147483647;

  // Reads a query as Dapr's applications write it:
  //
  //   {"filter": {...}, "sort": [{"key": path, "order": "ASC" or "DESC"}],
  //    "page": {"limit": 10, "token": "..."}}
  //
  // all of which may be left out. See QueryFilter::FromJson for the filter.
  //
  // INVALID_ARGUMENT: it is none; the text names the spot, as "page.limit".
  static absl::StatusOr<Query> FromJson(absl::string_view json);

  QueryFilter filter = {};
  std::vector<SortKey> sort = {};
  // Rows at most, kMaxLimit the most there are; 0: as many as `max_bytes` lets
  // in.
  size_t limit = 0;
  // The next_token of the page before; empty: the first page. Limits may change
  // from page to page; filter, sort and prefix may not.
  std::string token = "";
  // Of the keys to look at. Where it ends in "||", or has one, the rest of the
  // store is not read.
  std::string key_prefix = "";
  // Records to look at for a page, damaged and expired ones included; 0: all.
  uint64_t max_scan = 0;
  // Of the keys, values and content types of a page, with 64 more for each row.
  // A page has one row at least, however large.
  uint64_t max_bytes = uint64_t{4} << 20;
};

struct QueryRow {
  std::string key;
  Item item;
};

struct QueryPage {
  static constexpr size_t kMaxTokenSize = 3700;

  std::vector<QueryRow> rows;
  // Leads to the next page; empty: this was the last.
  std::string next_token;
  // Records that were looked at for it.
  uint64_t scanned = 0;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_QUERY_H_
