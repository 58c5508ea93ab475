// SPDX-License-Identifier: Apache-2.0
#include "cli/component_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/component_fields.h"
#include "api/component_metadata.h"
#include "api/instance_name.h"
#include "cli/yaml_text.h"
#include "engine/file_text.h"

namespace statecpp {
namespace {

using Use = ComponentField::Use;

constexpr absl::string_view kFromElsewhere = "statecpp/from-elsewhere";
constexpr absl::string_view kType = "state.cpp";
// A component has some hundred bytes.
constexpr size_t kMaxFileSize = 1 << 20;

absl::Status Refused(absl::string_view path, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", what, "; nothing was done"));
}

absl::Status CannotRead(absl::string_view path) {
  return absl::NotFoundError(
      absl::StrCat("cannot read the component's file ", path,
                   ", which --component names; nothing was done"));
}

absl::Status NotAFile(absl::string_view path) {
  return Refused(path, "it is a pipe or a device, and no file");
}

absl::Status TooLarge(absl::string_view path) {
  return Refused(path, absl::StrCat("it has more than ", kMaxFileSize,
                                    " bytes and is no component"));
}

// `others` are those that it has: "statestore (state.redis)".
absl::Status NoComponent(absl::string_view path,
                         const std::vector<std::string>& others) {
  return Refused(
      path, absl::StrCat(
                "it has no component of type ", kType,
                others.empty()
                    ? std::string(": a document with "
                                  "\"kind: Component\"")
                    : absl::StrCat("; it has: ", absl::StrJoin(others, ", "))));
}

absl::Status SeveralComponents(absl::string_view path,
                               const std::vector<std::string>& names) {
  return Refused(
      path, absl::StrCat("it has ", names.size(), " components of type ", kType,
                         ": ", absl::StrJoin(names, ", "),
                         "; name a file with one of them, or the "
                         "store itself by --store"));
}

absl::Status NoName(absl::string_view path) {
  return Refused(path,
                 "the component has no name, which is at metadata.name; apps "
                 "and daprd call it by that");
}

absl::Status NotAList(absl::string_view path) {
  return Refused(path,
                 "spec.metadata of the component is not a list of names and "
                 "values");
}

absl::Status NoFieldName(absl::string_view path) {
  return Refused(path, "an entry of spec.metadata has no name");
}

absl::Status NotScalar(absl::string_view path, absl::string_view field) {
  return Refused(path, absl::StrCat("the value of \"", field,
                                    "\" is neither a text nor a number"));
}

// What to give on the command line where the file does not say it.
absl::string_view FlagFor(const ComponentField& field) {
  if (field.use == Use::kKeySource) {
    return "give the key by --key-file or its kin, and leave --component out "
           "for --store";
  }
  return "name the store by --store, and leave --component out";
}

absl::Status FromElsewhere(absl::string_view path, const ComponentField& field,
                           absl::string_view where) {
  absl::Status refused = Refused(
      path, absl::StrCat("daprd takes \"", field.name, "\" from ", where,
                         ", which is not known here; ", FlagFor(field)));
  refused.SetPayload(kFromElsewhere, absl::Cord());
  return refused;
}

// A scalar as daprd has it. Its YAML is 1.1, in which a bare off is false.
std::string ValueOf(const YAML::Node& node) {
  if (node.IsNull()) return "";
  const std::string text = node.Scalar();
  if (node.Tag() != "?") return text;  // in quotes, or with a tag
  const std::string lower = absl::AsciiStrToLower(text);
  for (const char* yes : {"y", "yes", "on", "true"}) {
    if (lower == yes) return "true";
  }
  for (const char* no : {"n", "no", "off", "false"}) {
    if (lower == no) return "false";
  }
  return text;
}

// Where daprd puts something else before it sends a value.
absl::string_view PlaceholderIn(absl::string_view value) {
  for (const absl::string_view name :
       {"{podName}", "{appID}", "{namespace}", "{uuid}"}) {
    if (absl::StrContains(value, name)) return name;
  }
  return "";
}

// The one component that is ours, among the documents of a file.
absl::StatusOr<YAML::Node> FindComponent(
    const std::vector<YAML::Node>& documents, absl::string_view path) {
  std::optional<YAML::Node> found;
  std::vector<std::string> ours;
  std::vector<std::string> others;
  for (const YAML::Node& document : documents) {
    if (TextAt(document, "kind") != "Component") continue;
    const std::string type = TextAt(document["spec"], "type");
    const std::string name = TextAt(document["metadata"], "name");
    if (!absl::EqualsIgnoreCase(type, kType)) {  // as daprd takes it
      others.push_back(absl::StrCat(name, " (", type, ")"));
      continue;
    }
    ours.push_back(name);
    found.emplace(document);
  }
  if (ours.empty()) return NoComponent(path, others);
  if (ours.size() > 1) return SeveralComponents(path, ours);
  return *found;
}

// Reads an entry of spec.metadata as Init would bring it: of what is secret or
// unknown, the name alone.
absl::Status AddProperty(const YAML::Node& entry, absl::string_view path,
                         Properties& properties) {
  const std::string name = TextAt(entry, "name");
  if (name.empty()) return NoFieldName(path);
  const ComponentField* const field = FindComponentField(name);
  std::string& value = properties[name];
  value.clear();
  if (field == nullptr || field->secret) return absl::OkStatus();
  if (entry["secretKeyRef"].IsDefined() || entry["envRef"].IsDefined()) {
    if (!field->Remembered()) return absl::OkStatus();
    return FromElsewhere(path, *field,
                         entry["envRef"].IsDefined() ? "a variable of its own"
                                                     : "a secret store");
  }
  const YAML::Node given = entry["value"];
  if (!given.IsDefined()) return absl::OkStatus();
  if (!given.IsScalar() && !given.IsNull()) return NotScalar(path, name);
  value = ValueOf(given);
  const absl::string_view placeholder = PlaceholderIn(value);
  if (placeholder.empty() || !field->Remembered()) return absl::OkStatus();
  return FromElsewhere(path, *field,
                       absl::StrCat("where it runs (", placeholder, ")"));
}

absl::StatusOr<Properties> PropertiesOf(const YAML::Node& component,
                                        absl::string_view path) {
  Properties properties;
  const YAML::Node entries = component["spec"]["metadata"];
  if (!entries.IsDefined() || entries.IsNull()) return properties;
  if (!entries.IsSequence()) return NotAList(path);
  for (const YAML::Node& entry : entries) {
    absl::Status added = AddProperty(entry, path, properties);
    if (!added.ok()) return added;
  }
  return properties;
}

std::vector<std::string> GivenIn(const Properties& properties) {
  std::vector<std::string> given;
  for (const ComponentField& field : ComponentFields()) {
    if (field.print == nullptr) continue;
    for (const auto& [name, value] : properties) {
      if (FindComponentField(name) != &field) continue;
      if (!field.secret && absl::StripAsciiWhitespace(value).empty()) continue;
      given.emplace_back(field.name);
    }
  }
  return given;
}

// yaml-cpp throws; its exceptions end here.
absl::StatusOr<ComponentFile> Parse(const std::string& text,
                                    absl::string_view path) try {
  const absl::StatusOr<YAML::Node> component =
      FindComponent(YAML::LoadAll(text), path);
  if (!component.ok()) return component.status();
  const std::string name = TextAt((*component)["metadata"], "name");
  if (name.empty()) return NoName(path);
  const absl::StatusOr<Properties> properties = PropertiesOf(*component, path);
  if (!properties.ok()) return properties.status();
  absl::StatusOr<ParsedComponent> parsed =
      ComponentConfigFromProperties(InstanceName(name), *properties);
  if (!parsed.ok()) return Refused(path, parsed.status().message());
  return ComponentFile{.name = name,
                       .config = std::move(parsed->config),
                       .warnings = std::move(parsed->warnings),
                       .given = GivenIn(*properties)};
} catch (const YAML::Exception& error) {
  return NotYaml(path, error.what());
}

absl::StatusOr<std::string> ReadPipe(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return CannotRead(path);
  std::string text(kMaxFileSize + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return CannotRead(path);
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace

absl::StatusOr<ComponentFile> ComponentFileFromYaml(const std::string& text,
                                                    absl::string_view path) {
  return Parse(text, path);
}

absl::StatusOr<std::string> ReadComponentText(const std::string& path) {
  // What a shell has as /dev/stdin or /dev/fd/63 is a pipe that is written to.
  absl::StatusOr<std::string> text = absl::StartsWith(path, "/dev/")
                                         ? ReadPipe(path)
                                         : ReadStartOf(path, kMaxFileSize + 1);
  if (absl::IsInvalidArgument(text.status())) return NotAFile(path);
  if (!text.ok()) return CannotRead(path);
  if (text->size() > kMaxFileSize) return TooLarge(path);
  return text;
}

absl::StatusOr<ComponentFile> ReadComponentFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadComponentText(path);
  if (!text.ok()) return text.status();
  return ComponentFileFromYaml(*text, path);
}

bool IsFromElsewhere(const absl::Status& status) {
  return status.GetPayload(kFromElsewhere).has_value();
}

}  // namespace statecpp
