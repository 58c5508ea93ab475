// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_COMPONENT_CLASH_CHECKS_H_
#define STATECPP_CLI_COMPONENT_CLASH_CHECKS_H_

#include <vector>

#include "cli/component_document.h"
#include "cli/finding.h"

namespace statecpp {

// What keeps components that daprd reads together from being loaded together:
// of each, what it meets first. `documents` are those that daprd takes for
// components, in its order; of names that none of ours has nothing is said.
Findings CheckClashes(const std::vector<ComponentDocument>& documents,
                      bool (*is_ours)(const ComponentDocument&));

}  // namespace statecpp

#endif  // STATECPP_CLI_COMPONENT_CLASH_CHECKS_H_
