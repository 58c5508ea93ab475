// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_COMPONENT_FILE_H_
#define STATECPP_CLI_COMPONENT_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/component_config.h"

namespace statecpp {

// A Dapr component as it stands in a YAML file: what daprd reads there, and
// sends with Init, as far as that can be known without daprd.
//
//   absl::StatusOr<ComponentFile> file = ReadComponentFile("statestore.yaml");
//   if (!file.ok()) return file.status();
//   StoreOf(file->component.config.data_dir)
struct ComponentFile {
  // Of the component, as apps call it; daprd calls the instance so.
  std::string name;
  // As Init would find it, by the same code.
  ComponentConfig config;
  // What the server would log.
  std::vector<std::string> warnings;
  // The fields that the file sets, in our spelling, but those of daprd.
  std::vector<std::string> given;
};

// Reads the one component of type state.cpp in a file, which may have several
// documents of other types.
//
// NOT_FOUND: there is no such file, or none that can be read.
// INVALID_ARGUMENT: it is no YAML, or has no such component, or several; or the
//     component has no name, or a value that daprd takes from elsewhere (a
//     secret, a variable, the pod): the text says which flag to use instead; or
//     Init would refuse it.
absl::StatusOr<ComponentFile> ReadComponentFile(const std::string& path);

// The text of such a file. NOT_FOUND as above. INVALID_ARGUMENT: it is far too
// large for a component.
absl::StatusOr<std::string> ReadComponentText(const std::string& path);

// The same as ReadComponentFile of the text of a file; `path` is for errors.
absl::StatusOr<ComponentFile> ComponentFileFromYaml(const std::string& text,
                                                    absl::string_view path);

// Whether that is an error of these: daprd has a value of the file from
// elsewhere, and sends it with Init.
bool IsFromElsewhere(const absl::Status& status);

}  // namespace statecpp

#endif  // STATECPP_CLI_COMPONENT_FILE_H_
