// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_COMPONENT_CHECKS_H_
#define STATECPP_CLI_COMPONENT_CHECKS_H_

#include <string>
#include <vector>

#include "cli/component_document.h"
#include "cli/component_file.h"
#include "cli/finding.h"

namespace statecpp {

// What daprd would make of the YAML of components.
struct ComponentsChecked {
  Findings findings;
  // Those of type state.cpp that Init would take.
  std::vector<ComponentFile> ours;
};

// All YAML of `paths`, which daprd reads together: one file, or those of the
// folder that it is started with (--resources-path). `named` is what the user
// named, for what is not about one of them.
ComponentsChecked CheckComponents(const std::vector<std::string>& paths,
                                  const std::string& named);

// The same of documents that were read.
ComponentsChecked CheckDocuments(
    const std::vector<ComponentDocument>& documents, const std::string& named);

// Components of `home`, the folder that daprd takes where it is told none, that
// have the name of one of ours. `resources` is the folder to name instead.
Findings CheckHomeComponents(const std::vector<ComponentFile>& ours,
                             const std::string& home,
                             const std::string& resources);

}  // namespace statecpp

#endif  // STATECPP_CLI_COMPONENT_CHECKS_H_
