// SPDX-License-Identifier: Apache-2.0
//
// Whatever a component's file has in it, it is a component with a name, or the
// error is one that says so: no exception of the parser comes out.
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "cli/component_file.h"
#include "tests/fuzz/fuzz_target.h"

namespace statecpp {

void FuzzOne(FuzzInput input) {
  const absl::StatusOr<ComponentFile> file =
      ComponentFileFromYaml(std::string(input.Rest()), "a.yaml");
  if (file.ok()) {
    Expect(!file->name.empty(), "a component has a name");
    Expect(!file->config.data_dir.empty(), "a component has a store");
    return;
  }
  Expect(absl::IsInvalidArgument(file.status()),
         "a refusal says what is wrong");
  Expect(absl::StrContains(file.status().message(), "nothing was done"),
         "a refusal says that nothing was done");
}

}  // namespace statecpp
