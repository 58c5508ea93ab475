// SPDX-License-Identifier: Apache-2.0
#include "engine/json_reader.h"

#include <utility>

#include "absl/strings/ascii.h"

namespace statecpp {
namespace {

namespace json = simdjson::ondemand;
using simdjson::error_code;

// Reads all of a value, which the parser would otherwise pass over unseen.
error_code Validate(json::value value, int depth) {
  json::json_type type;
  if (const auto code = value.type().get(type)) return code;
  const bool nests =
      type == json::json_type::object || type == json::json_type::array;
  if (nests && depth == 0) return simdjson::DEPTH_ERROR;
  if (type == json::json_type::object) {
    json::object object;
    if (const auto code = value.get_object().get(object)) return code;
    for (auto each : object) {
      json::field field;
      if (const auto code = std::move(each).get(field)) return code;
      if (const auto code = field.unescaped_key().error()) return code;
      if (const auto code = Validate(field.value(), depth - 1)) return code;
    }
    return simdjson::SUCCESS;
  }
  if (type == json::json_type::array) {
    json::array array;
    if (const auto code = value.get_array().get(array)) return code;
    for (auto each : array) {
      json::value element;
      if (const auto code = std::move(each).get(element)) return code;
      if (const auto code = Validate(element, depth - 1)) return code;
    }
    return simdjson::SUCCESS;
  }
  JsonScalar scalar;
  return ReadScalar(value, scalar);
}

}  // namespace

simdjson::error_code JsonReader::Read(absl::string_view text, Visit visit) {
  // In brackets, because a document that is a bare number or string is read by
  // other calls than one in another value.
  padded_.clear();
  padded_.reserve(text.size() + 2 + simdjson::SIMDJSON_PADDING);
  padded_.push_back('[');
  padded_.append(text.data(), text.size());
  padded_.push_back(']');
  json::document document;
  if (const auto code = parser_.iterate(padded_).get(document)) return code;
  json::array brackets;
  if (const auto code = document.get_array().get(brackets)) return code;
  bool is_read = false;
  for (auto each : brackets) {
    json::value root;
    if (const auto code = std::move(each).get(root)) return code;
    if (std::exchange(is_read, true)) return simdjson::TAPE_ERROR;
    if (const auto code = visit(root)) return code;
  }
  if (!is_read) return simdjson::EMPTY;
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS
             ? simdjson::SUCCESS
             : simdjson::TRAILING_CONTENT;
}

bool JsonReader::IsJson(absl::string_view text) {
  return Read(text, [](Value root) { return Validate(root, kMaxDepth); }) ==
         simdjson::SUCCESS;
}

simdjson::error_code ReadScalar(JsonReader::Value value, JsonScalar& scalar) {
  json::json_type type;
  if (const auto code = value.type().get(type)) return code;
  switch (type) {
    case json::json_type::object:
    case json::json_type::array:
      scalar.kind = JsonScalar::Kind::kNested;
      return simdjson::SUCCESS;
    case json::json_type::null:
      scalar.kind = JsonScalar::Kind::kNull;
      return value.is_null().error();
    case json::json_type::boolean: {
      bool is_true = false;
      if (const auto code = value.get_bool().get(is_true)) return code;
      scalar.kind =
          is_true ? JsonScalar::Kind::kTrue : JsonScalar::Kind::kFalse;
      return simdjson::SUCCESS;
    }
    case json::json_type::number: {
      // As text, because the parser refuses numbers past 64 bits.
      const auto token = value.raw_json_token();
      absl::string_view text(token.data(), token.size());
      // JSON's white space, and no more: the token has whatever stands behind
      // the number.
      text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
      const auto number = ParseJsonNumber(text);
      if (!number.has_value()) return simdjson::NUMBER_ERROR;
      scalar.kind = JsonScalar::Kind::kNumber;
      scalar.number = *number;
      return simdjson::SUCCESS;
    }
    case json::json_type::string: {
      const auto text = value.get_string();
      if (text.error()) return text.error();
      scalar.kind = JsonScalar::Kind::kText;
      scalar.text.assign(text.value_unsafe());
      return simdjson::SUCCESS;
    }
  }
  return simdjson::INCORRECT_TYPE;
}

}  // namespace statecpp
