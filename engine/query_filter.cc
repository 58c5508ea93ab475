// SPDX-License-Identifier: Apache-2.0
#include "engine/query_filter.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "engine/coding.h"

namespace statecpp {
namespace {

using Kind = JsonScalar::Kind;
using Op = QueryFilter::Op;

bool IsBefore(const JsonScalar& a, const JsonScalar& b) {
  return Compare(a, b) < 0;
}

// Whether `order`, that of a value to the operator's scalar, is what it asks.
bool Holds(Op op, int order) {
  switch (op) {
    case Op::kGt:
      return order > 0;
    case Op::kGte:
      return order >= 0;
    case Op::kLt:
      return order < 0;
    case Op::kLte:
      return order <= 0;
    default:
      return false;
  }
}

void AppendSized(std::string& bytes, absl::string_view text) {
  AppendFixed(bytes, static_cast<uint32_t>(text.size()));
  bytes.append(text.data(), text.size());
}

}  // namespace

bool QueryFilter::Matches(absl::Span<const JsonScalar> values) const {
  return root_.empty() || Matches(root_.front(), values);
}

bool QueryFilter::Matches(const Node& node,
                          absl::Span<const JsonScalar> values) {
  const auto matches = [values](const Node& part) {
    return Matches(part, values);
  };
  if (node.op == Op::kAnd) {
    return std::all_of(node.filters.begin(), node.filters.end(), matches);
  }
  if (node.op == Op::kOr) {
    return std::any_of(node.filters.begin(), node.filters.end(), matches);
  }
  const JsonScalar& value = values[node.path];
  if (value.kind == Kind::kMissing) return false;
  if (node.op == Op::kIn) {
    return std::binary_search(node.scalars.begin(), node.scalars.end(), value,
                              IsBefore);
  }
  const JsonScalar& scalar = node.scalars.front();
  if (node.op == Op::kEq) return Compare(value, scalar) == 0;
  if (node.op == Op::kNeq) return Compare(value, scalar) != 0;
  return value.kind == scalar.kind && Holds(node.op, Compare(value, scalar));
}

void QueryFilter::AppendTo(std::string& bytes) const {
  AppendFixed(bytes, static_cast<uint8_t>(root_.size()));
  if (!root_.empty()) Append(root_.front(), bytes);
}

void QueryFilter::Append(const Node& node, std::string& bytes) const {
  AppendFixed(bytes, static_cast<uint8_t>(node.op));
  if (node.filters.empty()) AppendSized(bytes, paths_[node.path]);
  AppendFixed(bytes, static_cast<uint32_t>(node.scalars.size()));
  for (const JsonScalar& scalar : node.scalars) AppendScalar(bytes, scalar);
  AppendFixed(bytes, static_cast<uint32_t>(node.filters.size()));
  for (const Node& filter : node.filters) Append(filter, bytes);
}

bool IsQueryPath(absl::string_view path) {
  if (path.size() > QueryFilter::kMaxPathSize) return false;
  for (const absl::string_view name : absl::StrSplit(path, '.')) {
    if (name.empty()) return false;
  }
  return true;
}

}  // namespace statecpp
