// SPDX-License-Identifier: Apache-2.0
#include "cli/component_document.h"

#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/metadata_value.h"
#include "cli/component_file.h"
#include "cli/yaml_text.h"

namespace statecpp {
namespace {

// Which daprd looks for at the beginning of a line.
constexpr absl::string_view kSeparator = "\n---";
constexpr absl::string_view kActorStateStore = "actorStateStore";

absl::Status NotAFile(absl::string_view path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path,
                   ": it is no file, but a pipe, a socket or a device, for "
                   "which daprd may wait without end; nothing was done"));
}

YAML::Node MapAt(const YAML::Node& node, const char* name) {
  if (!node.IsMap() || !node[name].IsDefined() || !node[name].IsMap()) {
    return YAML::Node(YAML::NodeType::Map);
  }
  return node[name];
}

std::vector<std::string> ScopesOf(const YAML::Node& document) {
  std::vector<std::string> scopes;
  const YAML::Node list = document["scopes"];
  if (!list.IsDefined() || !list.IsSequence()) return scopes;
  for (const YAML::Node& scope : list) {
    if (scope.IsScalar()) scopes.push_back(scope.Scalar());
  }
  return scopes;
}

bool KeepsActors(const YAML::Node& spec) {
  const YAML::Node entries = spec["metadata"];
  if (!entries.IsDefined() || !entries.IsSequence()) return false;
  for (const YAML::Node& entry : entries) {
    if (absl::EqualsIgnoreCase(TextAt(entry, "name"), kActorStateStore)) {
      return IsTruthy(TextAt(entry, "value"));
    }
  }
  return false;
}

ComponentDocument DocumentOf(const YAML::Node& node, absl::string_view yaml,
                             absl::string_view path) {
  const YAML::Node spec = MapAt(node, "spec");
  return {.path = std::string(path),
          .yaml = std::string(yaml),
          .api_version = TextAt(node, "apiVersion"),
          .kind = TextAt(node, "kind"),
          .name = TextAt(MapAt(node, "metadata"), "name"),
          .name_space = TextAt(MapAt(node, "metadata"), "namespace"),
          .type = TextAt(spec, "type"),
          .version = TextAt(spec, "version"),
          .init_timeout = TextAt(spec, "initTimeout"),
          .scopes = ScopesOf(node),
          .keeps_actors = KeepsActors(spec)};
}

// The texts between separators, which have the rest of their line to them.
std::vector<absl::string_view> Split(absl::string_view text) {
  std::vector<absl::string_view> parts;
  for (;;) {
    const size_t at = text.find(kSeparator);
    parts.push_back(text.substr(0, at));
    if (at == absl::string_view::npos) return parts;
    const size_t end = text.find('\n', at + kSeparator.size());
    if (end == absl::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// yaml-cpp throws; its exceptions end here.
absl::StatusOr<std::vector<ComponentDocument>> Parse(
    absl::string_view text, absl::string_view path) try {
  std::vector<ComponentDocument> documents;
  for (const absl::string_view part : Split(text)) {
    const YAML::Node node = YAML::Load(std::string(part));
    if (node.IsDefined() && node.IsMap()) {
      documents.push_back(DocumentOf(node, part, path));
    }
  }
  return documents;
} catch (const YAML::Exception& error) {
  return NotYaml(path, error.what());
}

}  // namespace

std::string SubjectOf(const ComponentDocument& document) {
  return document.name.empty()
             ? document.path
             : absl::StrCat(document.path, " (", document.name, ")");
}

absl::StatusOr<std::vector<ComponentDocument>> ComponentDocumentsFromYaml(
    absl::string_view text, absl::string_view path) {
  return Parse(text, path);
}

absl::StatusOr<std::vector<ComponentDocument>> ReadComponentDocuments(
    const std::string& path) {
  struct stat info;
  // To open a pipe is to wait for whoever writes to it, but for one that a
  // shell has made: /dev/fd/63.
  if (!absl::StartsWith(path, "/dev/") && stat(path.c_str(), &info) == 0 &&
      !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
    return NotAFile(path);
  }
  const absl::StatusOr<std::string> text = ReadComponentText(path);
  if (!text.ok()) return text.status();
  return ComponentDocumentsFromYaml(*text, path);
}

std::vector<std::string> YamlFilesIn(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end;
       !failed && entry != end; entry.increment(failed)) {
    const std::string ending = entry->path().extension();
    std::error_code ignored;
    if ((ending == ".yaml" || ending == ".yml") &&
        !entry->is_directory(ignored)) {
      files.push_back(entry->path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace statecpp
