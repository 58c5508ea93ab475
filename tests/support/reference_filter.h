// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_REFERENCE_FILTER_H_
#define STATECPP_TESTS_SUPPORT_REFERENCE_FILTER_H_

#include <simdjson.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

// What a filter matches, once more: from the words of engine/query_filter.h,
// over whole trees of both texts and nothing of the engine's.
namespace statecpp {

class ReferenceFilter {
 public:
  using Element = simdjson::dom::element;
  using Type = simdjson::dom::element_type;

  // The filter is one that the engine took.
  static bool Matches(Element filter, Element document) {
    simdjson::dom::object node;
    if (filter.get_object().get(node)) return false;
    for (const auto field : node) {
      return Holds(View(field.key), field.value, document);
    }
    return true;  // without an operator
  }

 private:
  // The standard library's view, which the parser has, is another type.
  template <typename Text>
  static absl::string_view View(const Text& text) {
    return {text.data(), text.size()};
  }

  static bool Holds(absl::string_view op, Element operand, Element document) {
    if (op == "AND" || op == "OR") {
      const bool wanted = op == "OR";
      const simdjson::dom::array parts = operand.get_array().value_unsafe();
      for (const Element part : parts) {
        if (Matches(part, document) == wanted) return wanted;
      }
      return !wanted;
    }
    const simdjson::dom::object comparison =
        operand.get_object().value_unsafe();
    const auto only = *comparison.begin();
    Element found;
    if (!Find(document, View(only.key), found)) return false;
    if (op == "EQ") return AreEqual(found, only.value);
    if (op == "NEQ") return !AreEqual(found, only.value);
    if (op == "IN") {
      const simdjson::dom::array values = only.value.get_array().value_unsafe();
      for (const Element one : values) {
        if (AreEqual(found, one)) return true;
      }
      return false;
    }
    int order = 0;
    if (!Order(found, only.value, order)) return false;
    if (op == "GT") return order > 0;
    if (op == "GTE") return order >= 0;
    if (op == "LT") return order < 0;
    return order <= 0;
  }

  // Of members of one name the last one counts.
  static bool Find(Element document, absl::string_view path, Element& found) {
    found = document;
    for (const std::string& name :
         std::vector<std::string>(absl::StrSplit(path, '.'))) {
      simdjson::dom::object object;
      if (found.get_object().get(object)) return false;
      bool there = false;
      for (const auto field : object) {
        if (View(field.key) != name) continue;
        found = field.value;
        there = true;
      }
      if (!there) return false;
    }
    return true;
  }

  static bool IsNumber(Element value) {
    return value.is_int64() || value.is_uint64() || value.is_double();
  }

  static bool AreEqual(Element a, Element b) {
    int order = 0;
    if (Order(a, b, order)) return order == 0;
    if (a.is_null()) return b.is_null();
    return a.is_bool() && b.is_bool() &&
           a.get_bool().value_unsafe() == b.get_bool().value_unsafe();
  }

  // False where the two have no order: of numbers and of strings alone.
  static bool Order(Element a, Element b, int& order) {
    if (IsNumber(a) && IsNumber(b)) {
      const long double left = NumberOf(a);
      const long double right = NumberOf(b);
      order = left < right ? -1 : left > right;
      return true;
    }
    if (!a.is_string() || !b.is_string()) return false;
    order = View(a.get_string().value_unsafe())
                .compare(View(b.get_string().value_unsafe()));
    return true;
  }

  static long double NumberOf(Element value) {
    if (value.type() == Type::INT64) return value.get_int64().value_unsafe();
    if (value.type() == Type::UINT64) return value.get_uint64().value_unsafe();
    return value.get_double().value_unsafe();
  }
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_REFERENCE_FILTER_H_
