// SPDX-License-Identifier: Apache-2.0
#include "cli/config.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "api/component_metadata.h"
#include "api/instance_name.h"
#include "api/instance_record.h"
#include "cli/component_file.h"
#include "cli/config_text.h"
#include "cli/failure.h"
#include "cli/store_target.h"
#include "server/data_root.h"

namespace statecpp {
namespace {

struct ConfigFlags {
  std::string data_root = "";
  std::string component = "";
  std::string name = "";
  bool json = false;
};

absl::Status NothingNamed() {
  return absl::InvalidArgumentError(
      "name what is to be shown: --data-root DIR for the components that a "
      "server remembers (or set STATECPP_DATA_ROOT), or --component FILE for "
      "what a YAML file says; nothing was done");
}

absl::Status NameAndFile() {
  return absl::InvalidArgumentError(
      "--component FILE says which component it is; leave the NAME out; "
      "nothing was done");
}

absl::Status NoSuchInstance(absl::string_view data_root,
                            absl::string_view name) {
  return absl::NotFoundError(
      absl::StrCat("the server of ", data_root, " remembers no component",  //
                   name.empty() ? "" : " ", name,
                   ": daprd has never configured it there; nothing was done"));
}

absl::StatusOr<ConfigView> Remembered(const std::string& data_root,
                                      const std::string& file) {
  const std::string name = NameOfFile(file);
  const absl::StatusOr<std::optional<std::string>> text =
      DataRoot::ReadInstanceIn(data_root, file);
  if (!text.ok()) return text.status();
  const absl::StatusOr<InstanceRecord> record =
      InstanceRecordFromJson(name, text->value_or(""));
  if (!record.ok()) return record.status();
  const absl::StatusOr<ParsedComponent> parsed =
      ComponentConfigFromProperties(record->instance, record->properties);
  if (!parsed.ok()) return parsed.status();
  ConfigView view = {.instance = record->instance,
                     .source = "remembered",
                     .config = parsed->config,
                     .given = record->secrets};
  for (const auto& [field, value] : record->properties) {
    view.given.push_back(field);
  }
  return view;
}

void Print(const ConfigFlags& flags, const ConfigView& view) {
  std::cout << (flags.json ? ConfigJson(view) : ConfigText(view));
}

ExitCode ShowRemembered(const ConfigFlags& flags,
                        const std::string& data_root) {
  absl::StatusOr<std::vector<std::string>> files =
      DataRoot::ListInstancesIn(data_root);
  if (!files.ok() && !absl::IsNotFound(files.status())) {
    return Fail(files.status());
  }
  if (!files.ok()) files = std::vector<std::string>();
  std::sort(files->begin(), files->end());
  bool shown = false;
  ExitCode code = kExitOk;
  for (const std::string& file : *files) {
    if (!flags.name.empty() && NameOfFile(file) != flags.name) continue;
    const absl::StatusOr<ConfigView> view = Remembered(data_root, file);
    if (view.ok()) {
      Print(flags, *view);
    } else {
      code = Fail(view.status());
    }
    shown = true;
  }
  return shown ? code : Fail(NoSuchInstance(data_root, flags.name));
}

// Of a file, and what it would change for a server that remembers another.
ExitCode ShowFile(const ConfigFlags& flags, const std::string& data_root) {
  const absl::StatusOr<ComponentFile> file = ReadComponentFile(flags.component);
  if (!file.ok()) return Fail(file.status());
  Print(flags, {.instance = file->name,
                .source = flags.component,
                .config = file->config,
                .given = file->given});
  std::cout.flush();
  for (const std::string& warning : file->warnings) {
    std::cerr << "statecpp: warning: " << warning << "\n";
  }
  if (data_root.empty() || flags.json) return kExitOk;
  const absl::StatusOr<std::string> file_name =
      FileNameOf(InstanceName(file->name));
  if (!file_name.ok()) return Fail(file_name.status());
  const absl::StatusOr<ConfigView> before = Remembered(data_root, *file_name);
  if (!before.ok()) {
    std::cout << "the server of " << data_root
              << " does not remember this component\n";
    return kExitOk;
  }
  const std::vector<std::string> changes =
      DescribeChanges(before->config, file->config);
  std::cout << (changes.empty() ? "the server remembers the same\n"
                                : "daprd's next Init changes:\n");
  for (const std::string& change : changes) std::cout << "  " << change << "\n";
  return kExitOk;
}

ExitCode Config(const ConfigFlags& flags) {
  if (!flags.component.empty()) {
    if (!flags.name.empty()) return Fail(NameAndFile());
    return ShowFile(flags, flags.data_root);
  }
  std::string data_root = flags.data_root;
  if (data_root.empty()) data_root = DataRootOfEnvironment();
  if (data_root.empty()) return Fail(NothingNamed());
  return ShowRemembered(flags, data_root);
}

}  // namespace

void AddConfig(VerbTable& verbs) {
  auto flags = std::make_shared<ConfigFlags>();
  CLI::App* const config =
      verbs.Add("config", "Print what is in effect of a component's metadata",
                [flags] { return Config(*flags); });
  config->add_option("NAME", flags->name,
                     "A component that the server remembers; else all of them");
  config
      ->add_option("--data-root", flags->data_root,
                   "A server's folder; else $STATECPP_DATA_ROOT")
      ->type_name("DIR");
  config
      ->add_option("--component", flags->component,
                   "Dapr's YAML of a component: what it would mean and, with "
                   "--data-root, what it would change")
      ->type_name("FILE");
  config->add_flag("--json", flags->json, "One object a line");
  AddToHelp(config,
            "Every field has its value and whether the component sets it. "
            "Secrets are not shown.\n\nExample:\n"
            "  statecpp config --component components/statestore.yaml");
}

}  // namespace statecpp
