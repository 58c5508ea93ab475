// SPDX-License-Identifier: Apache-2.0
//
// A configuration is the same when its values are printed and read again, and
// when it comes back from what is remembered of it; and no value that may be a
// secret is shown.
//
// The input is lines: an instance, then name=value for each property.
#include <google/protobuf/stubs/common.h>

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "api/component_fields.h"
#include "api/component_metadata.h"
#include "api/instance_name.h"
#include "api/instance_record.h"
#include "tests/fuzz/fuzz_target.h"

namespace statecpp {
namespace {

// Stands in every value that must not be shown.
constexpr char kCanary[] = "canary-7f3a91c2";

// Nothing else gets past init_request.h.
bool IsText(absl::string_view text) {
  return google::protobuf::internal::IsStructurallyValidUTF8(
      text.data(), static_cast<int>(text.size()));
}

Properties TakeProperties(FuzzInput& input) {
  Properties properties;
  // An unknown name is compared with all others, which takes its time.
  while (!input.empty() && properties.size() < 12) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(input.Line(), absl::MaxSplits('=', 1));
    const ComponentField* field = FindComponentField(parts.first);
    const bool is_hidden = field == nullptr || field->secret;
    properties[parts.first] =
        absl::StrCat(parts.second, is_hidden ? kCanary : "");
  }
  return properties;
}

void ExpectHidden(absl::string_view text) {
  Expect(!absl::StrContains(text, kCanary), "what may be secret is not shown");
}

// Each field alone: a value that is printed is one that can be given.
void PrintAndParse(const ComponentConfig& config) {
  for (const ComponentField& field : ComponentFields()) {
    if (field.parse == nullptr || field.print == nullptr) continue;
    const std::string printed = field.print(config);
    // Without a dataDir it is the instance's name, which may be any.
    if (printed == "(none)" || field.name == "dataDir") continue;
    ComponentConfig again;
    Expect(field.parse(printed, again), "a printed value is a value");
    Expect(field.print(again) == printed, "a printed value reads back");
  }
}

// All of them by way of the file that outlives the server. A key's value does
// not.
void Remember(absl::string_view instance, const Properties& properties,
              const ComponentConfig& config) {
  if (config.own_key.place == OwnKey::Place::kValue) return;
  // The server looks at an instance's name before all else.
  if (!FileNameOf(InstanceName(instance)).ok()) return;
  const InstanceRecord record =
      InstanceRecordFromProperties(instance, properties);
  const std::string json = InstanceRecordToJson(record);
  ExpectHidden(json);
  const absl::StatusOr<InstanceRecord> read =
      InstanceRecordFromJson(instance, json);
  Expect(read.ok() && read->properties == record.properties,
         "what is remembered can be read");
  const absl::StatusOr<ParsedComponent> again =
      ComponentConfigFromProperties(instance, read->properties);
  Expect(again.ok() && again->config == config,
         "what is remembered is the same configuration");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  const absl::string_view text = FuzzInput(input).Rest();
  // A fuzzer learns what texts are compared with.
  if (!IsText(text) || absl::StrContains(text, kCanary)) return;
  const std::string instance(input.Line());
  const Properties properties = TakeProperties(input);
  const absl::StatusOr<ParsedComponent> parsed =
      ComponentConfigFromProperties(instance, properties);
  if (!parsed.ok()) {
    Expect(absl::IsInvalidArgument(parsed.status()), "a value is to blame");
    ExpectHidden(parsed.status().message());
    return;
  }
  for (const std::string& warning : parsed->warnings) ExpectHidden(warning);
  const ComponentConfig& config = parsed->config;
  Expect(DescribeChanges(config, config).empty(), "nothing changed");
  PrintAndParse(config);
  Remember(instance, properties, config);
}

}  // namespace statecpp
