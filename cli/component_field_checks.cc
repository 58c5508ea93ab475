// SPDX-License-Identifier: Apache-2.0
#include "cli/component_field_checks.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "api/component_config.h"
#include "api/component_fields.h"
#include "api/metadata_value.h"
#include "cli/finding_text.h"

namespace statecpp {
namespace {

using Use = ComponentField::Use;

// daprd's, where the component sets none.
constexpr absl::Duration kInitTimeout = absl::Seconds(5);
// Between our giving up on a lock and daprd's giving up on us.
constexpr absl::Duration kRoomToAnswer = absl::Seconds(2);

// What stands between the first quotes that come after `before`.
std::string QuotedAfter(absl::string_view text, absl::string_view before) {
  const size_t at = text.find(before);
  if (at == absl::string_view::npos) return "";
  const std::vector<absl::string_view> parts =
      absl::StrSplit(text.substr(at + before.size()), '"');
  return parts.size() >= 3 ? std::string(parts[1]) : "";
}

std::string FieldLine(absl::string_view name, absl::string_view value) {
  return absl::StrCat("- {name: ", name, ", value: \"", value, "\"}");
}

// --- The texts, one function each.

Finding FieldRefused(const ComponentDocument& document,
                     absl::string_view text) {
  const std::string field = QuotedAfter(text, "metadata field");
  const std::string value = QuotedAfter(text, "such as");
  return Fault("component-field", SubjectOf(document),
               WithoutPath(text, document.path),
               field.empty() || value.empty()
                   ? absl::StrCat("change it, and see what it means: statecpp "
                                  "config --component ",
                                  ShellWord(document.path))
                   : FieldLine(field, value));
}

Finding FieldFromElsewhere(const ComponentDocument& document,
                           absl::string_view text) {
  return Warning("component-elsewhere", SubjectOf(document),
                 absl::StrCat(WithoutPath(text, document.path),
                              ", so the fields were not looked at"),
                 absl::StrCat("once daprd runs: statecpp config ",
                              ShellWord(document.name)));
}

Finding FieldUnknown(const ComponentDocument& document, absl::string_view name,
                     absl::string_view text) {
  const absl::string_view nearest = NearestComponentField(name);
  return Warning("component-field", SubjectOf(document), std::string(text),
                 nearest.empty()
                     ? absl::StrCat("remove the field ", name)
                     : absl::StrCat("- {name: ", nearest, ", value: …}"));
}

Finding FieldOfNoUse(const ComponentDocument& document,
                     const ComponentField& field, absl::string_view text) {
  if (field.use == Use::kDaprdSeal) {
    return Warning("component-daprd-encrypts", SubjectOf(document),
                   std::string(text),
                   absl::StrCat("remove the field ", field.name,
                                "; a key for the store: statecpp keygen FILE"));
  }
  if (field.secret) {
    return Warning("component-key-forgotten", SubjectOf(document),
                   std::string(text),
                   "- {name: encryptionKeyFile, value: NAME-IN-KEY-DIR}");
  }
  return Warning("component-field", SubjectOf(document), std::string(text),
                 FieldLine("encryption", "required"));
}

Finding InitTimeoutUnread(const ComponentDocument& document) {
  return Warning("component-init-timeout", SubjectOf(document),
                 absl::StrCat("initTimeout is \"", document.init_timeout,
                              "\", which is no duration, so daprd waits ",
                              absl::FormatDuration(kInitTimeout)),
                 "initTimeout: 30s");
}

Finding InitTimeoutShort(const ComponentDocument& document,
                         absl::Duration timeout, absl::Duration lock) {
  const absl::Duration enough =
      absl::Ceil(lock + kRoomToAnswer, absl::Seconds(1));
  return Warning(
      "component-init-timeout", SubjectOf(document),
      absl::StrCat("daprd waits ", absl::FormatDuration(timeout),
                   " for Init (initTimeout) and ends; Init may wait ",
                   absl::FormatDuration(lock),
                   " for another process (lockTimeout), so that its reason "
                   "would never be heard"),
      absl::StrCat("initTimeout: ", absl::ToInt64Seconds(enough), "s"));
}

// As Go reads one, which wants a unit of all but a zero.
std::optional<absl::Duration> DurationInGo(absl::string_view text) {
  if (ParseInteger(text).has_value() && text != "0" && text != "+0" &&
      text != "-0") {
    return std::nullopt;
  }
  return ParseDuration(text);
}

void CheckInitTimeout(const ComponentDocument& document,
                      const ComponentConfig& config, Findings& findings) {
  const std::optional<absl::Duration> read =
      DurationInGo(document.init_timeout);
  if (!document.init_timeout.empty() && !read.has_value()) {
    findings.push_back(InitTimeoutUnread(document));
  }
  const absl::Duration timeout = read.value_or(kInitTimeout);
  if (timeout <= config.lock_timeout) {
    findings.push_back(
        InitTimeoutShort(document, timeout, config.lock_timeout));
  }
}

}  // namespace

std::string WithoutPath(absl::string_view text, absl::string_view path) {
  absl::ConsumePrefix(&text, absl::StrCat(path, ": "));
  absl::ConsumeSuffix(&text, "; nothing was done");
  return std::string(text);
}

std::optional<ComponentFile> CheckFields(const ComponentDocument& document,
                                         Findings& findings) {
  absl::StatusOr<ComponentFile> component =
      ComponentFileFromYaml(document.yaml, document.path);
  if (!component.ok()) {
    const absl::string_view text = component.status().message();
    findings.push_back(IsFromElsewhere(component.status())
                           ? FieldFromElsewhere(document, text)
                           : FieldRefused(document, text));
    return std::nullopt;
  }
  for (const std::string& warning : component->warnings) {
    const std::string name = QuotedAfter(warning, "metadata field");
    const ComponentField* const field = FindComponentField(name);
    findings.push_back(field == nullptr
                           ? FieldUnknown(document, name, warning)
                           : FieldOfNoUse(document, *field, warning));
  }
  CheckInitTimeout(document, component->config, findings);
  return *std::move(component);
}

}  // namespace statecpp
