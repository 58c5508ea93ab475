// SPDX-License-Identifier: Apache-2.0
#include "cli/version.h"

#include <iostream>
#include <memory>

namespace statecpp {

void AddVersion(VerbTable& verbs) {
  auto json = std::make_shared<bool>(false);
  CLI::App* const version = verbs.Add("version", "Print the version", [json] {
    if (*json) {
      std::cout << "{\"version\":\"" << kVersion << "\"}\n";
    } else {
      std::cout << "statecpp " << kVersion << "\n";
    }
    return kExitOk;
  });
  version->add_flag("--json", *json, "Print one object");
  AddToHelp(version, "Example:\n  statecpp version");
}

}  // namespace statecpp
