// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_COMPONENT_METADATA_H_
#define STATECPP_API_COMPONENT_METADATA_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/component_config.h"

// Reads what a Dapr component's `spec.metadata` says of an instance.
//
//   absl::StatusOr<ParsedComponent> parsed = ComponentConfigFromProperties(
//       "orders", {{"maxSize", "20Gi"}, {"encryptionKeyFile", "a.key"}});
//   if (!parsed.ok()) return parsed.status();
//   for (const std::string& warning : parsed->warnings) Warn(warning);
//
// Names match in any case; white space around a value is dropped, and an empty
// value counts as none. component_fields.h has the table of fields.
//
// Neither errors nor warnings hold the value of a field that is secret or
// unknown. Thread-safe.
namespace statecpp {

struct ParsedComponent {
  ComponentConfig config;
  // Sentences for the log, in the order of the fields' names.
  std::vector<std::string> warnings;
};

// The configuration of the instance of that name (see InstanceName), which is
// also its folder's unless `dataDir` says otherwise.
//
// Not an error, but worth a warning: an unknown field, a field that makes daprd
// encrypt, a key source where encryption is off, and a key that a restart of
// the server forgets.
//
// INVALID_ARGUMENT: a value is not what its field expects; two names differ in
// case alone; there are two key sources, or one that a component may not name;
// a field is unknown and `strictMetadata` is set.
absl::StatusOr<ParsedComponent> ComponentConfigFromProperties(
    absl::string_view instance, const Properties& properties);

// One "field: before -> after" for each field whose value in effect differs;
// "10Gi" and "10240Mi" are the same value. Secrets are masked.
std::vector<std::string> DescribeChanges(const ComponentConfig& before,
                                         const ComponentConfig& after);

}  // namespace statecpp

#endif  // STATECPP_API_COMPONENT_METADATA_H_
