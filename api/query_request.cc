// SPDX-License-Identifier: Apache-2.0
#include "api/query_request.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "api/errors.h"
#include "api/request_metadata.h"
#include "engine/errors.h"

namespace statecpp {
namespace {

// Of keys, values and content types; the token has to fit behind them.
constexpr uint64_t kMaxRowBytes = kMaxReplySize - QueryPage::kMaxTokenSize;

absl::StatusOr<QueryFilter> FilterOf(const wire::Query& query) {
  if (query.filter().empty()) return QueryFilter();
  if (query.filter_size() > 1) {
    return error::QueryMalformed(
        "filter", absl::StrCat(query.filter_size(),
                               " operators are there, and one is expected"));
  }
  const auto& [op, operand] = *query.filter().begin();
  return QueryFilter::FromOperand(op, operand.value());
}

absl::StatusOr<std::vector<SortKey>> SortOf(const wire::Query& query) {
  std::vector<SortKey> sort;
  for (const wire::Sorting& key : query.sort()) {
    if (!wire::Sorting::Order_IsValid(key.order())) {
      return error::QueryMalformed(
          absl::StrCat("sort[", sort.size(), "].order"),
          absl::StrCat(key.order(), " is there, and 0 or 1 is expected"));
    }
    sort.push_back(
        {.path = key.key(), .descending = key.order() == wire::Sorting::DESC});
  }
  return sort;
}

void FillRow(QueryRow row, wire::QueryItem& item) {
  item.set_key(std::move(row.key));
  if (item.key().size() + row.item.value.size() + row.item.content_type.size() >
      kMaxRowBytes) {
    item.set_error(
        std::string(error::ItemPastReplyLimit(kMaxReplySize).message()));
    return;
  }
  item.set_data(std::move(row.item.value));
  item.mutable_etag()->set_value(row.item.etag.ToString());
  item.set_content_type(std::move(row.item.content_type));
}

}  // namespace

absl::StatusOr<Query> QueryFromProto(const InstanceSettings& settings,
                                     const wire::QueryRequest& request) {
  Query query = {.max_scan = static_cast<uint64_t>(settings.max_scan),
                 .max_bytes = kMaxRowBytes};
  if (const std::string* prefix =
          FindMetadata(request.metadata(), "keyPrefix")) {
    query.key_prefix = *prefix;
  }
  // A prefix without a bar narrows what is returned, not what is read.
  if (settings.query_require_prefix &&
      !absl::StrContains(query.key_prefix, "||")) {
    return error::QueryPrefixRequired(query.key_prefix);
  }
  absl::StatusOr<QueryFilter> filter = FilterOf(request.query());
  if (!filter.ok()) return filter.status();
  query.filter = *std::move(filter);
  absl::StatusOr<std::vector<SortKey>> sort = SortOf(request.query());
  if (!sort.ok()) return sort.status();
  query.sort = *std::move(sort);
  const wire::Pagination& page = request.query().pagination();
  if (page.limit() < 0 || page.limit() > Query::kMaxLimit) {
    return error::QueryMalformed(
        "page.limit",
        absl::StrCat(page.limit(), " is there, and a number of rows up to ",
                     Query::kMaxLimit, " is expected, or 0 for no limit"));
  }
  query.limit = page.limit();
  query.token = page.token();
  return query;
}

wire::QueryResponse PageToProto(QueryPage page) {
  wire::QueryResponse response;
  for (QueryRow& row : page.rows) {
    FillRow(std::move(row), *response.add_items());
  }
  response.set_token(std::move(page.next_token));
  return response;
}

}  // namespace statecpp
