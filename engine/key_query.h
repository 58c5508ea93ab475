// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_KEY_QUERY_H_
#define STATECPP_ENGINE_KEY_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace statecpp {

// Which keys to list.
//
//   KeyQuery query = {.pattern = "orders||%", .page_size = 100};
//   do {
//     absl::StatusOr<KeyPage> page = store.ListKeys(query);
//     if (!page.ok()) return page.status();
//     for (const std::string& key : page->keys) ...
//     query.token = page->next_token;
//   } while (!query.token.empty());
struct KeyQuery {
  // As SQL's LIKE: `%` stands for any characters or none, `_` for exactly one,
  // and all else for itself, as do `%`, `_` and `\` behind a `\`. The whole key
  // has to match; case counts. A lone `\` at the end stands for itself.
  //
  // A character is one of UTF-8. A byte that is no part of a well-formed one is
  // a character of its own, in keys and patterns alike.
  std::string pattern = "";
  // Keys at most; 0: all.
  size_t page_size = 0;
  // The next_token of the page before; empty: the first page. The page size may
  // change from page to page, the pattern may not.
  std::string token = "";
};

struct KeyPage {
  std::vector<std::string> keys;
  // Leads to the next page; empty: this was the last.
  std::string next_token;
  // Records on the way that are damaged, so that their keys cannot be read: as
  // many may be missing from `keys`. Each is counted on one page.
  int64_t damaged = 0;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_KEY_QUERY_H_
