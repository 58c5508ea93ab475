// SPDX-License-Identifier: Apache-2.0
#include "tests/model/agreement.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "engine/key_query.h"
#include "engine/query.h"
#include "tests/model/reference_query.h"
#include "tests/support/reference_like.h"

namespace statecpp {
namespace {

// Documents and others, from the first of a sort to the last.
const Step& QueryOfAll() {
  static const auto* const step =
      new Step{.kind = Step::Kind::kQuery,
               .text = "{}",
               .sort = {{.path = "n", .descending = true}, {.path = "s"}},
               .page_size = 3};
  return *step;
}

std::string Describe(const Item& item) {
  return absl::StrCat(item.etag.ToString(), " ", ContentText(item));
}

absl::Status CompareGets(const Store& store, const Items& live) {
  const std::vector<std::string>& all = TapeKeys();
  const std::vector<absl::string_view> keys(all.begin(), all.end());
  const auto items = store.BulkGet(keys);
  if (!items.ok()) return Wrong("a bulk get", items.status());
  if (items->size() != keys.size()) return Wrong("a bulk get is too short");
  for (size_t i = 0; i < all.size(); ++i) {
    absl::Status same = CompareItem(all[i], store.Get(all[i]), live);
    if (!same.ok()) return Wrong(absl::StrCat("get: ", same.message()));
    same = CompareItem(all[i], (*items)[i], live);
    if (!same.ok()) return Wrong(absl::StrCat("bulk get: ", same.message()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Wrong(absl::string_view what) { return absl::InternalError(what); }

absl::Status Wrong(absl::string_view what, const absl::Status& status) {
  return Wrong(absl::StrCat(what, ": ", status.ToString()));
}

absl::Status CompareCodes(const absl::Status& found, absl::StatusCode expected,
                          absl::string_view what) {
  if (found.code() == expected) return absl::OkStatus();
  return Wrong(absl::StrCat(what, " should have been answered by ",
                            absl::StatusCodeToString(expected)),
               found);
}

std::string ContentText(const Item& item) {
  return absl::StrCat(
      Shortened(item.value), " ", item.content_type, " expires ",
      item.expires ? absl::FormatTime(*item.expires, absl::UTCTimeZone())
                   : "never");
}

absl::Status CompareItem(const std::string& key, const Store::ReadResult& item,
                         const Items& live) {
  if (!item.ok()) return Wrong(Shortened(key), item.status());
  const auto expected = live.find(key);
  const bool is_there = expected != live.end();
  if (item->has_value() == is_there &&
      (!is_there || ((*item)->value == expected->second.value &&
                     (*item)->etag == expected->second.etag &&
                     (*item)->content_type == expected->second.content_type &&
                     (*item)->expires == expected->second.expires))) {
    return absl::OkStatus();
  }
  return Wrong(absl::StrCat(
      Shortened(key), " is ", item->has_value() ? Describe(**item) : "nothing",
      " and not ", is_there ? Describe(expected->second) : "nothing"));
}

absl::StatusOr<std::string> CompareListing(const Store& store,
                                           const Items& live,
                                           const std::string& pattern,
                                           size_t page_size) {
  std::set<std::string> expected;
  for (const auto& [key, item] : live) {
    if (ReferenceLike(pattern, key)) expected.insert(key);
  }
  KeyQuery query = {.pattern = pattern, .page_size = page_size};
  std::set<std::string> listed;
  do {
    absl::StatusOr<KeyPage> page = store.ListKeys(query);
    if (!page.ok()) return Wrong("listing", page.status());
    if (page->damaged != 0 ||
        (page_size != 0 && page->keys.size() > page_size)) {
      return Wrong("a page of keys is too large, or has damaged ones");
    }
    for (const std::string& key : page->keys) {
      if (!listed.insert(key).second) {
        return Wrong(absl::StrCat(Shortened(key), " is listed twice"));
      }
    }
    query.token = page->next_token;
  } while (!query.token.empty());
  std::string text = absl::StrJoin(listed, " ");
  if (listed == expected) return text;
  return Wrong(absl::StrCat("listed are ", text, " and not ",
                            absl::StrJoin(expected, " ")));
}

absl::StatusOr<std::string> CompareQuery(const Store& store, const Items& live,
                                         const Step& step) {
  const std::vector<std::string> expected =
      ReferenceRows(live, step.text, step.sort, step.key_prefix);
  absl::StatusOr<QueryFilter> filter = QueryFilter::FromJson(step.text);
  if (!filter.ok()) return Wrong("the filter", filter.status());
  Query query = {.filter = *std::move(filter),
                 .sort = step.sort,
                 .limit = step.page_size,
                 .key_prefix = step.key_prefix};
  std::vector<std::string> found;
  do {
    const absl::StatusOr<QueryPage> page = store.Query(query);
    if (!page.ok()) return Wrong("a query", page.status());
    if (query.limit != 0 && page->rows.size() > query.limit) {
      return Wrong("a page of a query is too large");
    }
    for (const QueryRow& row : page->rows) {
      found.push_back(row.key);
      const absl::Status same = CompareItem(row.key, row.item, live);
      if (!same.ok()) return Wrong(absl::StrCat("query: ", same.message()));
    }
    query.token = page->next_token;
  } while (!query.token.empty());
  std::string text = absl::StrJoin(found, " ");
  if (found == expected) return text;
  return Wrong(absl::StrCat("query: rows are ", text, " and not ",
                            absl::StrJoin(expected, " ")));
}

absl::Status CompareAll(const Store& store, const Items& live) {
  if (absl::Status same = CompareGets(store, live); !same.ok()) return same;
  const auto listed = CompareListing(store, live, "%", 7);
  if (!listed.ok()) return listed.status();
  return CompareQuery(store, live, QueryOfAll()).status();
}

}  // namespace statecpp
