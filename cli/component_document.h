// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_COMPONENT_DOCUMENT_H_
#define STATECPP_CLI_COMPONENT_DOCUMENT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace statecpp {

// One document of a YAML file as daprd sees it before it knows what it is: all
// texts as they stand there, and empty where there are none.
//
//   absl::StatusOr<std::vector<ComponentDocument>> documents =
//       ReadComponentDocuments("components/statestore.yaml");
//
// For whoever wants to say what is wrong with it; what it means to the store,
// if it is right, is ComponentFileFromYaml(document.yaml, document.path).
struct ComponentDocument {
  // Of the file, and the text of this document in it.
  std::string path;
  std::string yaml;

  std::string api_version = "";
  std::string kind = "";
  std::string name = "";
  std::string name_space = "";
  std::string type = "";
  std::string version = "";
  std::string init_timeout = "";
  // Empty: every app has it.
  std::vector<std::string> scopes = {};
  // By spec.metadata it is where actors keep their state.
  bool keeps_actors = false;
};

// What a finding about it calls it: its file, and its name if it has one.
std::string SubjectOf(const ComponentDocument& document);

// The documents of a file, split where daprd splits it; empty ones are left
// out.
//
// Those of ReadComponentText. INVALID_ARGUMENT: one of them is no YAML, or what
// is there is no file that can be read at once.
absl::StatusOr<std::vector<ComponentDocument>> ReadComponentDocuments(
    const std::string& path);

// The same of the text of a file.
absl::StatusOr<std::vector<ComponentDocument>> ComponentDocumentsFromYaml(
    absl::string_view text, absl::string_view path);

// The files of a folder that daprd takes for YAML, by their names, in order;
// empty where the folder cannot be listed.
std::vector<std::string> YamlFilesIn(const std::string& folder);

}  // namespace statecpp

#endif  // STATECPP_CLI_COMPONENT_DOCUMENT_H_
