// SPDX-License-Identifier: Apache-2.0
#include "engine/json_fields.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"

namespace statecpp {

namespace json = simdjson::ondemand;

JsonFields::JsonFields(const std::vector<std::string>& paths)
    : values_(paths.size()) {
  for (size_t i = 0; i < paths.size(); ++i) {
    Node* node = &root_;
    for (const absl::string_view name : absl::StrSplit(paths[i], '.')) {
      auto member = std::find_if(
          node->members.begin(), node->members.end(),
          [name](const Node& other) { return other.name == name; });
      if (member == node->members.end()) {
        member = node->members.insert(member, {.name = std::string(name)});
      }
      node = &*member;
    }
    node->paths.push_back(i);
  }
}

bool JsonFields::Read(absl::string_view document) {
  Clear(root_);
  return reader_.Read(document, [this](JsonReader::Value root) {
    return ReadInto(root_, root);
  }) == simdjson::SUCCESS;
}

simdjson::error_code JsonFields::ReadInto(const Node& node,
                                          JsonReader::Value value) {
  if (!node.paths.empty()) {
    if (const auto code = ReadScalar(value, scalar_)) return code;
    for (const size_t path : node.paths) values_[path] = scalar_;
    if (scalar_.kind != JsonScalar::Kind::kNested) return simdjson::SUCCESS;
  }
  if (node.members.empty()) return simdjson::SUCCESS;
  json::json_type type;
  if (const auto code = value.type().get(type)) return code;
  if (type != json::json_type::object) return simdjson::SUCCESS;
  json::object object;
  if (const auto code = value.get_object().get(object)) return code;
  for (auto each : object) {
    json::field field;
    if (const auto code = std::move(each).get(field)) return code;
    const auto name = field.unescaped_key();
    if (name.error()) return name.error();
    const auto member = std::find_if(node.members.begin(), node.members.end(),
                                     [&name](const Node& other) {
                                       return other.name == name.value_unsafe();
                                     });
    if (member == node.members.end()) continue;
    Clear(*member);
    if (const auto code = ReadInto(*member, field.value())) return code;
  }
  return simdjson::SUCCESS;
}

void JsonFields::Clear(const Node& node) {
  for (const size_t path : node.paths) {
    values_[path].kind = JsonScalar::Kind::kMissing;
  }
  for (const Node& member : node.members) Clear(member);
}

}  // namespace statecpp
