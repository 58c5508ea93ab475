// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_COMPONENT_FIELD_CHECKS_H_
#define STATECPP_CLI_COMPONENT_FIELD_CHECKS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "cli/component_document.h"
#include "cli/component_file.h"
#include "cli/finding.h"

namespace statecpp {

// What Init would say of a component's fields, by its own code. nullopt: it
// would not take them, or what daprd fills in is not known here.
std::optional<ComponentFile> CheckFields(const ComponentDocument& document,
                                         Findings& findings);

// What an error says, without the path, which is the finding's subject, and
// without what was not done, for nothing was to be.
std::string WithoutPath(absl::string_view text, absl::string_view path);

}  // namespace statecpp

#endif  // STATECPP_CLI_COMPONENT_FIELD_CHECKS_H_
