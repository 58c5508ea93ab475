// SPDX-License-Identifier: Apache-2.0
#include "cli/config_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "api/component_fields.h"
#include "cli/item_text.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

bool IsGiven(const ConfigView& view, const ComponentField& field) {
  return std::find(view.given.begin(), view.given.end(), field.name) !=
         view.given.end();
}

// What is secret is there or not, and no more is said of it.
std::string ValueOf(const ConfigView& view, const ComponentField& field) {
  if (!field.secret) return field.print(view.config);
  return IsGiven(view, field) ? "(secret)" : "(none)";
}

}  // namespace

std::string ConfigText(const ConfigView& view) {
  std::string text = absl::StrCat("component ", KeyText(view.instance), " (",
                                  view.source, ")\n");
  for (const ComponentField& field : ComponentFields()) {
    if (field.print == nullptr) continue;
    absl::StrAppendFormat(&text, "  %-24s  %-12s  %s\n",
                          std::string(field.name),
                          KeyText(ValueOf(view, field)),
                          IsGiven(view, field) ? "set" : "default");
  }
  return text;
}

std::string ConfigJson(const ConfigView& view) {
  std::string json =
      absl::StrCat("{\"component\":", JsonText(view.instance),
                   ",\"source\":", JsonText(view.source), ",\"fields\":{");
  const char* separator = "";
  for (const ComponentField& field : ComponentFields()) {
    if (field.print == nullptr) continue;
    absl::StrAppend(&json, separator, JsonText(field.name),
                    ":{\"value\":", JsonText(ValueOf(view, field)),
                    ",\"set\":", IsGiven(view, field) ? "true" : "false", "}");
    separator = ",";
  }
  return json + "}}\n";
}

}  // namespace statecpp
