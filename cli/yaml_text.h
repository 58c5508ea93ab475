// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_YAML_TEXT_H_
#define STATECPP_CLI_YAML_TEXT_H_

#include <yaml-cpp/yaml.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace statecpp {

// What stands at `name` in a map of a YAML document; empty if `node` is none,
// or has no such text. Throws as yaml-cpp does.
std::string TextAt(const YAML::Node& node, const char* name);

// That a component's file is no YAML; `why` is yaml-cpp's word.
absl::Status NotYaml(absl::string_view path, absl::string_view why);

}  // namespace statecpp

#endif  // STATECPP_CLI_YAML_TEXT_H_
