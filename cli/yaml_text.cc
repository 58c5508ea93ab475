// SPDX-License-Identifier: Apache-2.0
#include "cli/yaml_text.h"

#include "absl/strings/str_cat.h"

namespace statecpp {

std::string TextAt(const YAML::Node& node, const char* name) {
  if (!node.IsDefined() || !node.IsMap()) return "";
  const YAML::Node found = node[name];
  return found.IsDefined() && found.IsScalar() ? found.Scalar() : "";
}

absl::Status NotYaml(absl::string_view path, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": it is no YAML: ", why, "; nothing was done"));
}

}  // namespace statecpp
