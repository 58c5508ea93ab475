// SPDX-License-Identifier: Apache-2.0
#include "api/component_metadata.h"

#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "api/component_fields.h"
#include "api/errors.h"
#include "api/instance_name.h"

namespace statecpp {
namespace {

using Use = ComponentField::Use;

std::string DaprdSealsWarning(absl::string_view name) {
  return absl::StrCat(
      "metadata field \"", name,
      "\" is daprd's: daprd then encrypts values itself before it sends them "
      "here, those of actors and workflows excepted, and refuses queries; it "
      "is not a key of this store, which needs none of daprd's, and is not "
      "stored");
}

std::string ForgottenKeyWarning(absl::string_view name) {
  return absl::StrCat(
      "metadata field \"", name,
      "\" is remembered nowhere: after a restart of this server every call "
      "fails until daprd sends Init again; give the server the key instead "
      "(statecpp serve --key-file), or name an encryptionKeyFile");
}

std::string UnusedKeyWarning(absl::string_view name) {
  return absl::StrCat("metadata field \"", name,
                      "\" has no effect: encryption is \"off\", so records are "
                      "stored in clear");
}

std::string UnknownFieldWarning(absl::string_view name) {
  const absl::string_view nearest = NearestComponentField(name);
  return absl::StrCat(
      "metadata field \"", absl::CEscape(name.substr(0, 64)),
      "\" is unknown and has no effect",
      nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?"),
      " (the fields: docs/operations.md, \"Component metadata\")");
}

// Dapr's decoders match names without regard to case, so two such names would
// leave to chance which one counts.
absl::Status CheckNamesDiffer(const Properties& properties) {
  std::map<std::string, absl::string_view> seen;
  for (const auto& [name, value] : properties) {
    const auto [first, fresh] = seen.emplace(absl::AsciiStrToLower(name), name);
    if (!fresh) return error::RepeatedField(first->second, name);
  }
  return absl::OkStatus();
}

// A key has one place: of two, one would be ignored, and perhaps the one that
// was meant.
absl::Status CheckKeySources(const Properties& properties) {
  absl::string_view first;
  for (const auto& [name, value] : properties) {
    const ComponentField* field = FindComponentField(name);
    if (field == nullptr) continue;
    if (field->use == Use::kRefused) {
      return error::RefusedField(field->name, field->expected);
    }
    // The value of a secret one is not here; that it has one was seen to.
    const bool given =
        field->secret || !absl::StripAsciiWhitespace(value).empty();
    if (field->use != Use::kKeySource || !given) continue;
    if (!first.empty()) return error::TwoKeySources(first, field->name);
    first = field->name;
  }
  return absl::OkStatus();
}

// Reads every field that is ours.
absl::StatusOr<ComponentConfig> ReadSettings(absl::string_view instance,
                                             const Properties& properties) {
  ComponentConfig config;
  for (const auto& [name, text] : properties) {
    const ComponentField* field = FindComponentField(name);
    if (field == nullptr) continue;
    if (field->use == Use::kKeySource && field->secret) {
      config.own_key.place = OwnKey::Place::kValue;
    }
    if (field->parse == nullptr) continue;
    const absl::string_view value = absl::StripAsciiWhitespace(text);
    if (value.empty() || field->parse(value, config)) continue;
    return error::InvalidField(field->name, value, field->expected);
  }
  if (config.data_dir.empty()) {
    config.data_dir = std::string(InstanceName(instance));
  }
  if (absl::Status fits = FileNameOf(config.data_dir).status(); !fits.ok()) {
    return fits;
  }
  return config;
}

}  // namespace

absl::StatusOr<ParsedComponent> ComponentConfigFromProperties(
    absl::string_view instance, const Properties& properties) {
  if (absl::Status status = CheckNamesDiffer(properties); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckKeySources(properties); !status.ok()) {
    return status;
  }
  absl::StatusOr<ComponentConfig> config = ReadSettings(instance, properties);
  if (!config.ok()) return config.status();

  ParsedComponent parsed = {.config = *std::move(config), .warnings = {}};
  for (const auto& [name, value] : properties) {
    const ComponentField* field = FindComponentField(name);
    if (field == nullptr) {
      if (parsed.config.strict_metadata) {
        return error::UnknownField(name, NearestComponentField(name));
      }
      parsed.warnings.push_back(UnknownFieldWarning(name));
    } else if (field->use == Use::kDaprdSeal) {
      parsed.warnings.push_back(DaprdSealsWarning(field->name));
    } else if (field->use == Use::kKeySource) {
      if (parsed.config.encryption == Encryption::kOff) {
        parsed.warnings.push_back(UnusedKeyWarning(field->name));
      } else if (field->secret) {
        parsed.warnings.push_back(ForgottenKeyWarning(field->name));
      }
    }
  }
  return parsed;
}

std::vector<std::string> DescribeChanges(const ComponentConfig& before,
                                         const ComponentConfig& after) {
  std::vector<std::string> changes;
  for (const ComponentField& field : ComponentFields()) {
    if (field.print == nullptr) continue;
    const std::string old_value = field.print(before);
    const std::string new_value = field.print(after);
    if (old_value == new_value) continue;
    changes.push_back(DescribeChange(field, old_value, new_value));
  }
  return changes;
}

}  // namespace statecpp
