// SPDX-License-Identifier: Apache-2.0
#include "engine/query_page.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/coding.h"
#include "engine/errors.h"
#include "engine/json_fields.h"
#include "engine/keys.h"
#include "engine/page_token.h"
#include "engine/query_place.h"

namespace statecpp {
namespace {

constexpr absl::string_view kTokenDomain("lse/1/query\0", 12);
// What a row takes beside its key, value and content type.
constexpr uint64_t kRowFraming = 64;

absl::Status CheckSort(const std::vector<SortKey>& sort) {
  if (sort.size() > Query::kMaxSortKeys) {
    return error::QueryMalformed(
        "sort", absl::StrCat(sort.size(), " keys are there, and ",
                             Query::kMaxSortKeys, " at most are expected"));
  }
  for (size_t i = 0; i < sort.size(); ++i) {
    if (IsQueryPath(sort[i].path)) continue;
    return error::QueryMalformed(absl::StrCat("sort[", i, "].key"),
                                 error::BadQueryPath(sort[i].path));
  }
  return absl::OkStatus();
}

// What a token is for, as bytes.
std::string Asked(const Query& query) {
  std::string asked;
  query.filter.AppendTo(asked);
  AppendFixed(asked, static_cast<uint32_t>(query.sort.size()));
  for (const SortKey& key : query.sort) {
    AppendFixed(asked, static_cast<uint32_t>(key.path.size()));
    absl::StrAppend(&asked, key.path, key.descending ? "d" : "a");
  }
  asked.append(query.key_prefix);
  return asked;
}

// Those of the filter, then those of the sort.
std::vector<std::string> PathsOf(const Query& query) {
  std::vector<std::string> paths = query.filter.paths();
  for (const SortKey& key : query.sort) paths.push_back(key.path);
  return paths;
}

// The first rows of those that were added.
class FirstRows {
 public:
  FirstRows(const Query& query, absl::Time now, std::optional<QueryPlace> after)
      : query_(query),
        now_(now),
        after_(std::move(after)),
        fields_(PathsOf(query)) {}

  absl::Status Add(const RecordScan::Entry& entry) {
    ++scanned_;
    if (query_.max_scan != 0 && scanned_ > query_.max_scan) {
      return error::QueryPastMaxScan(query_.max_scan);
    }
    if (!entry.reader.ok()) {
      return error::QueryReachedDamage("", entry.reader.status());
    }
    const RecordReader& reader = *entry.reader;
    if (reader.IsExpired(now_) ||
        !absl::StartsWith(reader.key(), query_.key_prefix)) {
      return absl::OkStatus();
    }
    // By the key alone, before anything is read.
    if (query_.sort.empty()) {
      place_.Set({}, reader.key(), entry.record_key);
      if (!IsWanted()) return absl::OkStatus();
    }
    absl::StatusOr<std::string> value = reader.ReadValue();
    if (!value.ok()) {
      return error::QueryReachedDamage(reader.key(), value.status());
    }
    if (!fields_.Read(*value) || !query_.filter.Matches(fields_.values())) {
      return absl::OkStatus();
    }
    if (!query_.sort.empty()) {
      place_.Set(absl::MakeSpan(fields_.values()).last(query_.sort.size()),
                 reader.key(), entry.record_key);
      if (!IsWanted()) return absl::OkStatus();
    }
    // One row that is not would be the end of daprd's whole answer.
    if (fields_.IsJson(*value)) Take(reader, *std::move(value));
    return absl::OkStatus();
  }

  uint64_t scanned() const { return scanned_; }

  // All in order. `seal` makes a token of a place.
  template <typename Seal>
  QueryPage Finish(Seal seal) && {
    std::sort_heap(rows_.begin(), rows_.end(), Order{query_.sort});
    QueryPage page = {.rows = {}, .next_token = "", .scanned = scanned_};
    if (left_out_.has_value()) {
      std::string place;
      rows_.back().place.AppendTo(place);
      page.next_token = seal(place);
    }
    page.rows.reserve(rows_.size());
    for (Placed& each : rows_) page.rows.push_back(std::move(each.row));
    return page;
  }

 private:
  struct Placed {
    QueryPlace place;
    QueryRow row;
    uint64_t size;
  };

  struct Order {
    bool operator()(const Placed& a, const Placed& b) const {
      return IsBefore(sort, a.place, b.place);
    }
    const std::vector<SortKey>& sort;
  };

  // Whether place_ is behind the last page and may be on this one.
  bool IsWanted() const {
    return (!after_.has_value() || IsBefore(query_.sort, *after_, place_)) &&
           (!left_out_.has_value() ||
            IsBefore(query_.sort, place_, *left_out_));
  }

  void Take(const RecordReader& reader, std::string value) {
    const uint64_t size = reader.key().size() + value.size() +
                          reader.content_type().size() + kRowFraming;
    Item item = {.value = std::move(value),
                 .etag = ETag(reader.version()),
                 .content_type = std::string(reader.content_type()),
                 .expires = std::nullopt};
    if (reader.expires_ms() != 0) {
      item.expires = absl::FromUnixMillis(reader.expires_ms());
    }
    rows_.push_back(
        {.place = place_,
         .row = {.key = std::string(reader.key()), .item = std::move(item)},
         .size = size});
    std::push_heap(rows_.begin(), rows_.end(), Order{query_.sort});
    size_ += size;
    while (rows_.size() > 1 && IsTooMuch()) LeaveOutLast();
  }

  bool IsTooMuch() const {
    return (query_.limit != 0 && rows_.size() > query_.limit) ||
           size_ > query_.max_bytes;
  }

  // Nothing behind it is taken any more, not even what would fit: the next page
  // begins where this one ends.
  void LeaveOutLast() {
    std::pop_heap(rows_.begin(), rows_.end(), Order{query_.sort});
    size_ -= rows_.back().size;
    left_out_ = std::move(rows_.back().place);
    rows_.pop_back();
  }

  const Query& query_;
  const absl::Time now_;
  // Where the last page ended.
  const std::optional<QueryPlace> after_;
  JsonFields fields_;
  QueryPlace place_;          // of the row in hand
  std::vector<Placed> rows_;  // a heap, the last row on top
  uint64_t size_ = 0;
  std::optional<QueryPlace> left_out_;  // the first of those
  uint64_t scanned_ = 0;
};

absl::Status CheckBounds(const CallBounds& bounds, uint64_t scanned) {
  if (bounds.cancelled != nullptr && *bounds.cancelled) {
    return error::QueryCancelled();
  }
  return std::chrono::steady_clock::now() < bounds.deadline
             ? absl::OkStatus()
             : error::QueryTimedOut(scanned);
}

}  // namespace

absl::StatusOr<QueryPage> ReadQueryPage(const RecordScan::Look& look,
                                        const CurrentKeyring& keyring,
                                        Random& random, absl::Time now,
                                        const Query& query,
                                        const CallBounds& bounds) {
  if (absl::Status sort = CheckSort(query.sort); !sort.ok()) return sort;
  const std::string asked = Asked(query);
  std::optional<QueryPlace> after;
  if (!query.token.empty()) {
    const std::optional<std::string> opened =
        OpenPageToken(*keyring.Get(), kTokenDomain, asked, query.token);
    if (!opened.has_value() ||
        !after.emplace().Parse(*opened, query.sort.size())) {
      return error::ForeignQueryToken();
    }
  }
  FirstRows rows(query, now, std::move(after));
  RecordScan scan(look, RangeBelow(keyring.Get()->paths(), query.key_prefix));
  while (!scan.done()) {
    absl::Status status = CheckBounds(bounds, rows.scanned());
    if (!status.ok()) return status;
    status.Update(
        scan.NextSlice([&rows, &status](const RecordScan::Entry& entry) {
          status = rows.Add(entry);
          return status.ok();
        }));
    if (!status.ok()) return status;
  }
  return std::move(rows).Finish([&](const std::string& place) {
    return SealPageToken(*keyring.Get(), random, kTokenDomain, asked, place);
  });
}

}  // namespace statecpp
