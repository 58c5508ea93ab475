// SPDX-License-Identifier: Apache-2.0
#include "cli/version.h"

#include <iostream>

namespace statecpp {

void AddVersion(VerbTable& verbs) {
  verbs.Add("version", "Print the version", [] {
    std::cout << "statecpp " << kVersion << "\n";
    return kExitOk;
  });
}

}  // namespace statecpp
