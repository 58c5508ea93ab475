// SPDX-License-Identifier: Apache-2.0
//
// A filter matches what the reference says it does, is the same filter in both
// of the forms that Dapr has for it, and a query holds to its limits.
//
// The input is a filter, a newline, and a document; the whole of it may be a
// query too.
#include <simdjson.h>

#include <string>

#include "engine/json_fields.h"
#include "engine/query.h"
#include "engine/query_filter.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/reference_filter.h"

namespace statecpp {
namespace {

std::string BytesOf(const QueryFilter& filter) {
  std::string bytes;
  filter.AppendTo(bytes);
  return bytes;
}

// The operator and its operand by themselves.
void CheckOperand(const QueryFilter& filter, simdjson::dom::element tree) {
  const simdjson::dom::object object = tree.get_object().value_unsafe();
  for (const auto field : object) {
    const absl::StatusOr<QueryFilter> same = QueryFilter::FromOperand(
        std::string(field.key), simdjson::minify(field.value));
    Expect(same.ok() && BytesOf(*same) == BytesOf(filter),
           "an operator and its operand are the filter");
  }
}

void CheckQuery(const std::string& text) {
  const absl::StatusOr<Query> query = Query::FromJson(text);
  if (!query.ok()) {
    Expect(absl::IsInvalidArgument(query.status()), "the text is to blame");
    return;
  }
  Expect(query->limit <= Query::kMaxLimit, "a limit is within its own");
  Expect(query->key_prefix.empty(), "a prefix is not in the text");
  Expect(BytesOf(query->filter) == BytesOf(QueryFilter(query->filter)),
         "a copy is the same filter");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  CheckQuery(std::string(FuzzInput(input).Rest()));
  const std::string text(input.Line());
  const std::string document(input.Rest());
  const absl::StatusOr<QueryFilter> filter = QueryFilter::FromJson(text);
  if (!filter.ok()) {
    Expect(absl::IsInvalidArgument(filter.status()), "the text is to blame");
    return;
  }
  const absl::StatusOr<Query> query =
      Query::FromJson("{\"filter\":" + text + "}");
  Expect(query.ok() && BytesOf(query->filter) == BytesOf(*filter),
         "a filter is the same in a query");

  JsonFields fields(filter->paths());
  const bool is_json = fields.Read(document) && fields.IsJson(document);
  const bool matches = filter->Matches(fields.values());

  // The reference does not have numbers past 64 bits.
  static simdjson::dom::parser filter_parser;
  static simdjson::dom::parser document_parser;
  simdjson::dom::element tree;
  simdjson::dom::element root;
  if (filter_parser.parse(text).get(tree)) return;
  CheckOperand(*filter, tree);
  if (!is_json || document_parser.parse(document).get(root)) return;
  Expect(matches == ReferenceFilter::Matches(tree, root),
         "the reference matches the same documents");
}

}  // namespace statecpp
