// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_QUERY_FILTER_H_
#define STATECPP_ENGINE_QUERY_FILTER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/json_scalar.h"

namespace statecpp {

// Which documents a query is for: a tree, as Dapr's JSON writes it.
//
//   absl::StatusOr<QueryFilter> filter = QueryFilter::FromJson(R"({
//       "OR": [{"EQ": {"person.org": "Dev Ops"}},
//              {"AND": [{"EQ": {"person.org": "Finance"}},
//                       {"IN": {"state": ["CA", "WA"]}}]}]})");
//
//   EQ, NEQ, GT, GTE, LT, LTE   {path: scalar}
//   IN                          {path: [scalar, ...]}, one at least
//   AND, OR                     [filter, filter, ...], two at least
//
// A document without anything at the path matches no comparison, not even NEQ.
// Where there is something, EQ and IN match what is equal and NEQ what is not:
// values of two types are not equal, and an object or an array is equal to
// none. GT, GTE, LT and LTE take a number or a string, and match values of that
// type alone.
//
// Copying is cheap enough; constant after construction.
class QueryFilter {
 public:
  // Of filters that hold others.
  static constexpr int kMaxDepth = 32;
  // Of the scalars in all of it.
  static constexpr size_t kMaxScalars = 4096;
  static constexpr size_t kMaxPathSize = 1024;
  // Different ones: each member of a document is compared with all of them.
  static constexpr size_t kMaxPaths = 64;

  enum class Op { kEq, kNeq, kGt, kGte, kLt, kLte, kIn, kAnd, kOr };

  // Matches every document.
  QueryFilter() = default;

  // Reads a filter: an object with one operator, or with none, which is the
  // filter that matches every document.
  //
  // INVALID_ARGUMENT: it is none; the text names the spot, as
  //     "filter.AND[1].EQ".
  static absl::StatusOr<QueryFilter> FromJson(absl::string_view json);

  // The same of an operator and what stands behind it, as Dapr sends it.
  static absl::StatusOr<QueryFilter> FromOperand(absl::string_view op,
                                                 absl::string_view operand);

  // What Matches has to be told of a document: the values at these paths.
  const std::vector<std::string>& paths() const { return paths_; }

  // `values` has those of paths() in front.
  bool Matches(absl::Span<const JsonScalar> values) const;

  // As bytes that are the same for the same filter, and for no other.
  void AppendTo(std::string& bytes) const;

 private:
  friend class QueryFilterReader;

  struct Node {
    Op op;
    size_t path = 0;  // in paths_; of a comparison
    // Of IN in order and without repetitions.
    std::vector<JsonScalar> scalars = {};
    std::vector<Node> filters = {};
  };

  static bool Matches(const Node& node, absl::Span<const JsonScalar> values);
  void Append(const Node& node, std::string& bytes) const;

  std::vector<std::string> paths_;
  // One at most.
  std::vector<Node> root_;
};

// Whether it is a path: names, none of them empty, with dots between.
bool IsQueryPath(absl::string_view path);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_QUERY_FILTER_H_
