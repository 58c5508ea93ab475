// SPDX-License-Identifier: Apache-2.0
//
// Filters and queries as Dapr's applications write them.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "engine/errors.h"
#include "engine/json_reader.h"
#include "engine/json_scalar.h"
#include "engine/query.h"
#include "engine/query_filter.h"

namespace statecpp {
namespace {

namespace json = simdjson::ondemand;
using Kind = JsonScalar::Kind;
using Op = QueryFilter::Op;
using Value = JsonReader::Value;

constexpr std::pair<absl::string_view, Op> kOps[] = {
    {"EQ", Op::kEq},   {"NEQ", Op::kNeq}, {"GT", Op::kGt},
    {"GTE", Op::kGte}, {"LT", Op::kLt},   {"LTE", Op::kLte},
    {"IN", Op::kIn},   {"AND", Op::kAnd}, {"OR", Op::kOr}};

absl::Status NotJson(absl::string_view spot, simdjson::error_code code) {
  return error::QueryMalformed(
      spot, absl::StrCat("no JSON: ", simdjson::error_message(code)));
}

// Reads all of a text, which `spot` names, by `read`.
absl::Status ReadAll(absl::string_view text, absl::string_view spot,
                     absl::FunctionRef<absl::Status(Value)> read) {
  JsonReader reader;
  absl::Status status = absl::OkStatus();
  const auto code = reader.Read(text, [&](Value root) {
    status = read(root);
    return status.ok() ? simdjson::SUCCESS : simdjson::INCORRECT_TYPE;
  });
  if (!status.ok()) return status;
  return code == simdjson::SUCCESS ? absl::OkStatus() : NotJson(spot, code);
}

absl::Status ReadText(Value value, absl::string_view spot, std::string& text) {
  JsonScalar scalar;
  if (const auto code = ReadScalar(value, scalar)) return NotJson(spot, code);
  if (scalar.kind != Kind::kText) {
    return error::QueryMalformed(spot, "a string is expected");
  }
  text = std::move(scalar.text);
  return absl::OkStatus();
}

bool IsNull(Value value) {
  bool is_null = false;
  return value.is_null().get(is_null) == simdjson::SUCCESS && is_null;
}

// Calls `visit` for each member of an object.
absl::Status ForEachMember(
    Value value, absl::string_view spot,
    absl::FunctionRef<absl::Status(absl::string_view, Value)> visit) {
  json::object object;
  if (value.get_object().get(object)) {
    return error::QueryMalformed(spot, "an object is expected");
  }
  for (auto each : object) {
    json::field field;
    if (const auto code = std::move(each).get(field)) {
      return NotJson(spot, code);
    }
    const auto name = field.unescaped_key();
    if (name.error()) return NotJson(spot, name.error());
    const absl::Status status =
        visit({name.value_unsafe().data(), name.value_unsafe().size()},
              field.value());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Calls `visit` for each element of an array, with the spot where it stands.
absl::Status ForEachElement(
    Value value, absl::string_view spot,
    absl::FunctionRef<absl::Status(const std::string&, Value)> visit) {
  json::array array;
  if (value.get_array().get(array)) {
    return error::QueryMalformed(spot, "an array is expected");
  }
  size_t i = 0;
  for (auto each : array) {
    json::value element;
    if (const auto code = std::move(each).get(element)) {
      return NotJson(spot, code);
    }
    const absl::Status status =
        visit(absl::StrCat(spot, "[", i++, "]"), element);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string Below(absl::string_view spot, absl::string_view name) {
  return absl::StrCat(spot, spot.empty() ? "" : ".", name);
}

}  // namespace

// Makes a filter of what it reads.
class QueryFilterReader {
 public:
  explicit QueryFilterReader(QueryFilter& filter) : filter_(filter) {}

  absl::Status Read(Value value, absl::string_view spot) {
    return ReadNodes(value, spot, 0, filter_.root_);
  }

  absl::Status ReadOperand(absl::string_view op, Value operand,
                           absl::string_view spot) {
    return ReadNode(op, operand, spot, 0, filter_.root_);
  }

 private:
  using Node = QueryFilter::Node;

  // The nodes of an object: one, or at the root none.
  absl::Status ReadNodes(Value value, absl::string_view spot, int depth,
                         std::vector<Node>& nodes) {
    const size_t before = nodes.size();
    const absl::Status status = ForEachMember(
        value, spot, [&](absl::string_view op, Value operand) -> absl::Status {
          if (nodes.size() > before) {
            return error::QueryMalformed(
                spot,
                "there are two operators in one object; put each into "
                "an object of its own below AND or OR");
          }
          return ReadNode(op, operand, spot, depth, nodes);
        });
    if (!status.ok()) return status;
    if (nodes.size() == before && depth > 0) {
      return error::QueryMalformed(spot, "an operator is expected");
    }
    return absl::OkStatus();
  }

  absl::Status ReadNode(absl::string_view name, Value operand,
                        absl::string_view above, int depth,
                        std::vector<Node>& nodes) {
    const auto op =
        std::find_if(std::begin(kOps), std::end(kOps),
                     [name](const auto& known) { return known.first == name; });
    if (op == std::end(kOps)) {
      return error::QueryMalformed(
          above, error::UnknownQueryWord(name,
                                         "EQ, NEQ, GT, GTE, LT, LTE, IN, "
                                         "AND or OR"));
    }
    const std::string spot = Below(above, name);
    Node node = {.op = op->second};
    const bool joins = node.op == Op::kAnd || node.op == Op::kOr;
    const absl::Status status = joins ? ReadFilters(operand, spot, depth, node)
                                      : ReadComparison(operand, spot, node);
    if (status.ok()) nodes.push_back(std::move(node));
    return status;
  }

  absl::Status ReadFilters(Value operand, absl::string_view spot, int depth,
                           Node& node) {
    if (depth + 1 >= QueryFilter::kMaxDepth) {
      return error::QueryMalformed(spot,
                                   absl::StrCat("the filter nests deeper than ",
                                                QueryFilter::kMaxDepth));
    }
    const absl::Status status = ForEachElement(
        operand, spot, [&](const std::string& element_spot, Value element) {
          return ReadNodes(element, element_spot, depth + 1, node.filters);
        });
    if (status.ok() && node.filters.size() < 2) {
      return error::QueryMalformed(spot, "two filters at least are expected");
    }
    return status;
  }

  absl::Status ReadComparison(Value operand, absl::string_view spot,
                              Node& node) {
    bool has_path = false;
    const absl::Status status = ForEachMember(
        operand, spot,
        [&](absl::string_view path, Value value) -> absl::Status {
          if (std::exchange(has_path, true)) {
            return error::QueryMalformed(spot, "there are two paths");
          }
          if (!IsQueryPath(path)) {
            return error::QueryMalformed(spot, error::BadQueryPath(path));
          }
          node.path = PathOf(path);
          if (filter_.paths_.size() > QueryFilter::kMaxPaths) {
            return error::QueryMalformed(
                spot, absl::StrCat("the filter has more than ",
                                   QueryFilter::kMaxPaths, " paths"));
          }
          return node.op == Op::kIn ? ReadScalars(value, spot, node)
                                    : AddScalar(value, spot, node);
        });
    if (status.ok() && !has_path) {
      return error::QueryMalformed(spot, "a path is expected");
    }
    return status;
  }

  absl::Status ReadScalars(Value value, absl::string_view spot, Node& node) {
    const absl::Status status = ForEachElement(
        value, spot, [&](const std::string& element_spot, Value element) {
          return AddScalar(element, element_spot, node);
        });
    if (!status.ok()) return status;
    std::vector<JsonScalar>& scalars = node.scalars;
    if (scalars.empty()) {
      return error::QueryMalformed(spot, "a value at least is expected");
    }
    std::sort(scalars.begin(), scalars.end(),
              [](const auto& a, const auto& b) { return Compare(a, b) < 0; });
    scalars.erase(std::unique(scalars.begin(), scalars.end(),
                              [](const auto& a, const auto& b) {
                                return Compare(a, b) == 0;
                              }),
                  scalars.end());
    return absl::OkStatus();
  }

  absl::Status AddScalar(Value value, absl::string_view spot, Node& node) {
    JsonScalar scalar;
    if (const auto code = ReadScalar(value, scalar)) return NotJson(spot, code);
    if (scalar.kind == Kind::kNested) {
      return error::QueryMalformed(
          spot, "a string, a number, true, false or null is expected");
    }
    const bool is_ordered =
        scalar.kind == Kind::kNumber || scalar.kind == Kind::kText;
    const bool orders = node.op == Op::kGt || node.op == Op::kGte ||
                        node.op == Op::kLt || node.op == Op::kLte;
    if (orders && !is_ordered) {
      return error::QueryMalformed(spot, "a number or a string is expected");
    }
    if (++scalars_ > QueryFilter::kMaxScalars) {
      return error::QueryMalformed(
          spot, absl::StrCat("the filter has more than ",
                             QueryFilter::kMaxScalars, " values"));
    }
    node.scalars.push_back(std::move(scalar));
    return absl::OkStatus();
  }

  size_t PathOf(absl::string_view path) {
    std::vector<std::string>& paths = filter_.paths_;
    const auto found = std::find(paths.begin(), paths.end(), path);
    const size_t index = found - paths.begin();
    if (found == paths.end()) paths.emplace_back(path);
    return index;
  }

  QueryFilter& filter_;
  size_t scalars_ = 0;
};

namespace {

absl::Status ReadSortKey(Value value, const std::string& spot, Query& query) {
  SortKey key;
  const absl::Status status = ForEachMember(
      value, spot, [&](absl::string_view name, Value member) -> absl::Status {
        const std::string below = Below(spot, name);
        if (name == "key") return ReadText(member, below, key.path);
        if (name != "order") {
          return error::QueryMalformed(
              spot, error::UnknownQueryWord(name, "key or order"));
        }
        std::string order;
        const absl::Status read = ReadText(member, below, order);
        if (read.ok() && order != "ASC" && order != "DESC") {
          return error::QueryMalformed(
              below, error::UnknownQueryWord(order, "ASC or DESC"));
        }
        key.descending = order == "DESC";
        return read;
      });
  if (status.ok()) query.sort.push_back(std::move(key));
  return status;
}

absl::Status ReadLimit(Value value, absl::string_view spot, size_t& limit) {
  JsonScalar scalar;
  if (const auto code = ReadScalar(value, scalar)) return NotJson(spot, code);
  if (scalar.kind != Kind::kNumber || scalar.number < 0 ||
      scalar.number > Query::kMaxLimit ||
      std::trunc(scalar.number) != scalar.number) {
    return error::QueryMalformed(
        spot, absl::StrCat("a whole number up to ", Query::kMaxLimit,
                           " is expected, or 0 for no limit"));
  }
  limit = static_cast<size_t>(scalar.number);
  return absl::OkStatus();
}

absl::Status ReadPage(Value value, Query& query) {
  return ForEachMember(
      value, "page", [&](absl::string_view name, Value member) -> absl::Status {
        const std::string spot = Below("page", name);
        if (name == "limit") return ReadLimit(member, spot, query.limit);
        if (name == "token") return ReadText(member, spot, query.token);
        return error::QueryMalformed(
            "page", error::UnknownQueryWord(name, "limit or token"));
      });
}

absl::Status ReadMember(absl::string_view name, Value value, Query& query) {
  if (name == "filter") {
    query.filter = QueryFilter();
    return IsNull(value) ? absl::OkStatus()
                         : QueryFilterReader(query.filter).Read(value, name);
  }
  if (name == "sort") {
    query.sort.clear();
    return IsNull(value)
               ? absl::OkStatus()
               : ForEachElement(value, name,
                                [&](const std::string& spot, Value element) {
                                  return ReadSortKey(element, spot, query);
                                });
  }
  if (name == "page") {
    return IsNull(value) ? absl::OkStatus() : ReadPage(value, query);
  }
  return error::QueryMalformed(
      "", error::UnknownQueryWord(name, "filter, sort or page"));
}

}  // namespace

absl::StatusOr<QueryFilter> QueryFilter::FromJson(absl::string_view json) {
  QueryFilter filter;
  const absl::Status status = ReadAll(json, "filter", [&](Value root) {
    return QueryFilterReader(filter).Read(root, "filter");
  });
  if (!status.ok()) return status;
  return filter;
}

absl::StatusOr<QueryFilter> QueryFilter::FromOperand(
    absl::string_view op, absl::string_view operand) {
  QueryFilter filter;
  const absl::Status status =
      ReadAll(operand, Below("filter", op), [&](Value root) {
        return QueryFilterReader(filter).ReadOperand(op, root, "filter");
      });
  if (!status.ok()) return status;
  return filter;
}

absl::StatusOr<Query> Query::FromJson(absl::string_view json) {
  Query query;
  const absl::Status status = ReadAll(json, "", [&](Value root) {
    return ForEachMember(root, "", [&](absl::string_view name, Value value) {
      return ReadMember(name, value, query);
    });
  });
  if (!status.ok()) return status;
  return query;
}

}  // namespace statecpp
