// SPDX-License-Identifier: Apache-2.0
#include "tests/model/reference_query.h"

#include <simdjson.h>

#include <algorithm>
#include <compare>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "tests/support/reference_filter.h"

namespace statecpp {
namespace {

using Element = simdjson::dom::element;

// Where a document stands by one sort key.
struct Place {
  // In the order of a sort.
  enum class Kind { kMissing, kNull, kFalse, kTrue, kNumber, kText, kNested };

  Kind kind = Kind::kMissing;
  long double number = 0;
  std::string text = "";

  auto operator<=>(const Place&) const = default;
};

Place PlaceOf(Element value) {
  using Type = simdjson::dom::element_type;
  switch (value.type()) {
    case Type::NULL_VALUE:
      return {.kind = Place::Kind::kNull};
    case Type::BOOL:
      return {.kind = value.get_bool().value_unsafe() ? Place::Kind::kTrue
                                                      : Place::Kind::kFalse};
    case Type::INT64:
      return {
          .kind = Place::Kind::kNumber,
          .number = static_cast<long double>(value.get_int64().value_unsafe())};
    case Type::UINT64:
      return {.kind = Place::Kind::kNumber,
              .number =
                  static_cast<long double>(value.get_uint64().value_unsafe())};
    case Type::DOUBLE:
      return {.kind = Place::Kind::kNumber,
              .number = value.get_double().value_unsafe()};
    case Type::STRING: {
      const auto text = value.get_string().value_unsafe();
      return {
          .kind = Place::Kind::kText,
          .text = std::string(text.data(), std::min<size_t>(text.size(), 256))};
    }
    default:
      return {.kind = Place::Kind::kNested};
  }
}

Place PlaceAt(Element document, const std::string& path) {
  Element found = document;
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(path, '.'))) {
    simdjson::dom::object object;
    if (found.get_object().get(object)) return {};
    if (object.at_key(name).get(found)) return {};
  }
  return PlaceOf(found);
}

struct Row {
  std::vector<Place> places;
  std::string key;
};

bool IsBefore(const Row& a, const Row& b, const std::vector<SortKey>& sort) {
  for (size_t i = 0; i < sort.size(); ++i) {
    if (a.places[i] == b.places[i]) continue;
    return (a.places[i] < b.places[i]) != sort[i].descending;
  }
  return a.key < b.key;
}

}  // namespace

std::vector<std::string> ReferenceRows(const std::map<std::string, Item>& items,
                                       absl::string_view filter,
                                       const std::vector<SortKey>& sort,
                                       absl::string_view key_prefix) {
  simdjson::dom::parser filter_parser;
  simdjson::dom::parser parser;
  const Element tree =
      filter_parser.parse(filter.data(), filter.size()).value_unsafe();
  std::vector<Row> rows;
  for (const auto& [key, item] : items) {
    Element document;
    if (!absl::StartsWith(key, key_prefix) ||
        parser.parse(item.value).get(document) ||
        !ReferenceFilter::Matches(tree, document)) {
      continue;
    }
    Row row = {.places = {}, .key = key};
    for (const SortKey& by : sort) {
      row.places.push_back(PlaceAt(document, by.path));
    }
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [&sort](const Row& a, const Row& b) {
    return IsBefore(a, b, sort);
  });
  std::vector<std::string> keys;
  for (Row& row : rows) keys.push_back(std::move(row.key));
  return keys;
}

}  // namespace statecpp
