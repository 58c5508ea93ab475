// SPDX-License-Identifier: Apache-2.0
#include "cli/component_checks.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "api/component_config.h"
#include "cli/component_clash_checks.h"
#include "cli/component_field_checks.h"
#include "cli/finding_text.h"

namespace statecpp {
namespace {

constexpr absl::string_view kKind = "Component";
constexpr absl::string_view kApiVersion = "dapr.io/v1alpha1";
constexpr absl::string_view kType = "state.cpp";
// The variable by which daprd is told its namespace.
constexpr char kNamespaceVariable[] = "NAMESPACE";

// --- The texts, one function each.

Finding NotRead(const std::string& path, absl::string_view why) {
  return Fault("component-yaml", path,
               absl::StrCat(WithoutPath(why, path),
                            "; daprd says so in its log, and passes it over"),
               absl::StrCat("put it right, and look again: statecpp doctor "
                            "--component ",
                            ShellWord(path)));
}

Finding NoneOfOurs(const std::string& named,
                   const std::vector<std::string>& others) {
  return Fault("component-absent", named,
               absl::StrCat("no component of type ", kType, " is here",
                            others.empty() ? "" : "; there is: ",
                            absl::StrJoin(others, ", ")),
               absl::StrCat("type: ", kType, "\nor: statecpp init DIR"));
}

Finding WrongKind(const ComponentDocument& document) {
  return Fault("component-kind", SubjectOf(document),
               absl::StrCat("the kind is \"", document.kind,
                            "\", and daprd passes over what is not exactly "
                            "a ",
                            kKind),
               absl::StrCat("kind: ", kKind));
}

Finding WrongApiVersion(const ComponentDocument& document) {
  return Fault("component-api-version", SubjectOf(document),
               absl::StrCat("the apiVersion is \"", document.api_version,
                            "\", and daprd passes over what is not exactly ",
                            kApiVersion),
               absl::StrCat("apiVersion: ", kApiVersion));
}

Finding WrongType(const ComponentDocument& document) {
  return Fault("component-type", SubjectOf(document),
               absl::StrCat("the type is \"", document.type,
                            "\", which no socket makes: the name of ours, "
                            "cpp.sock, makes ",
                            kType),
               absl::StrCat("type: ", kType));
}

Finding WrongVersion(const ComponentDocument& document) {
  return Fault("component-version", SubjectOf(document),
               absl::StrCat("the version is \"", document.version,
                            "\", which no socket offers: \"couldn't find "
                            "state store state.cpp/",
                            document.version, "\""),
               "version: v1");
}

Finding OtherNamespace(const ComponentDocument& document,
                       const std::string& daprds) {
  return Warning("component-namespace", SubjectOf(document),
                 absl::StrCat("its namespace is \"", document.name_space,
                              "\", and daprd, where it has this environment, "
                              "passes it over: ",
                              kNamespaceVariable, " is \"", daprds, "\""),
                 absl::StrCat("metadata: {name: ", document.name,
                              ", namespace: ", daprds, "}"));
}

Finding NameAtHome(const ComponentFile& ours, const ComponentDocument& home,
                   const std::string& resources) {
  return Warning(
      "component-name-home", SubjectOf(home),
      absl::StrCat("an app that is run without --resources-path "
                   "gets this ",
                   ours.name, ", of type ", home.type,
                   ", which may be the one that dapr init made"),
      absl::StrCat("dapr run --resources-path ", ShellWord(resources)));
}

Finding NoScopes(const ComponentDocument& document) {
  return Warning("component-scopes", SubjectOf(document),
                 "it has no scopes, so every app's daprd loads it, and none "
                 "starts where the socket is not",
                 "scopes: [YOUR-APP-ID]");
}

Finding Understood(const ComponentDocument& document,
                   const ComponentFile& component) {
  const bool sealed = component.config.encryption == Encryption::kRequired;
  return Fine("component", SubjectOf(document),
              absl::StrCat("daprd finds it, and Init would take it: store ",
                           component.config.data_dir,
                           sealed ? ", sealed" : ", not sealed"));
}

// --- What is there.

bool IsOurs(absl::string_view type) {
  return absl::EqualsIgnoreCase(type, kType);
}

// A type that was probably meant to be ours.
bool IsNearOurs(absl::string_view type) {
  const std::string lower = absl::AsciiStrToLower(type);
  for (const absl::string_view near :
       {"cpp", "state.lmdb", "state.statecpp", "state.state.cpp", "state.c++",
        "state.cpp.sock", "state.cpp/v1", "state.cxx", "state-cpp",
        "statecpp"}) {
    if (lower == near) return true;
  }
  return false;
}

bool IsMeantAsOurs(const ComponentDocument& document) {
  return IsOurs(document.type) || IsNearOurs(document.type);
}

// As daprd is told it; empty if it is not.
std::string DaprdsNamespace() {
  const char* const value = std::getenv(kNamespaceVariable);
  return value == nullptr ? "" : value;
}

// Whether daprd looks for components like this one.
bool IsOfNamespace(const ComponentDocument& document,
                   absl::string_view daprds) {
  return daprds.empty() || document.name_space.empty() ||
         document.name_space == daprds;
}

bool IsLoaded(const ComponentDocument& document) {
  return document.kind == kKind && document.api_version == kApiVersion &&
         IsOfNamespace(document, DaprdsNamespace());
}

void CheckHead(const ComponentDocument& document, Findings& findings) {
  if (document.kind != kKind) findings.push_back(WrongKind(document));
  if (document.api_version != kApiVersion) {
    findings.push_back(WrongApiVersion(document));
  }
  if (!IsOurs(document.type)) findings.push_back(WrongType(document));
  const std::string version = absl::AsciiStrToLower(document.version);
  if (!version.empty() && version != "v0" && version != "v1") {
    findings.push_back(WrongVersion(document));
  }
}

// Of one that is meant to be ours.
void CheckOne(const ComponentDocument& document, ComponentsChecked& checked) {
  Findings findings;
  CheckHead(document, findings);
  std::optional<ComponentFile> component;
  // One of another type or kind would be told that it is none of ours, again.
  if (IsOurs(document.type) && document.kind == kKind) {
    component = CheckFields(document, findings);
  }
  if (document.scopes.empty()) findings.push_back(NoScopes(document));
  const std::string daprds = DaprdsNamespace();
  const bool passed_over = !IsOfNamespace(document, daprds);
  if (passed_over) findings.push_back(OtherNamespace(document, daprds));
  const bool faulty = Count(findings, Finding::Level::kFault) > 0;
  if (component.has_value() && !faulty && !passed_over) {
    checked.findings.push_back(Understood(document, *component));
  }
  if (component.has_value()) checked.ours.push_back(*std::move(component));
  Append(std::move(findings), checked.findings);
}

}  // namespace

ComponentsChecked CheckDocuments(
    const std::vector<ComponentDocument>& documents, const std::string& named) {
  ComponentsChecked checked;
  std::vector<std::string> others;
  bool any = false;
  for (const ComponentDocument& document : documents) {
    if (IsMeantAsOurs(document)) {
      CheckOne(document, checked);
      any = true;
    } else if (document.kind == kKind) {
      others.push_back(absl::StrCat(document.name, " (", document.type, ")"));
    }
  }
  if (!any) checked.findings.push_back(NoneOfOurs(named, others));
  std::vector<ComponentDocument> loaded;
  std::copy_if(documents.begin(), documents.end(), std::back_inserter(loaded),
               IsLoaded);
  Append(CheckClashes(loaded, IsMeantAsOurs), checked.findings);
  return checked;
}

ComponentsChecked CheckComponents(const std::vector<std::string>& paths,
                                  const std::string& named) {
  Findings unread;
  std::vector<ComponentDocument> documents;
  for (const std::string& path : paths) {
    absl::StatusOr<std::vector<ComponentDocument>> found =
        ReadComponentDocuments(path);
    if (!found.ok()) {
      unread.push_back(NotRead(path, found.status().message()));
      continue;
    }
    std::move(found->begin(), found->end(), std::back_inserter(documents));
  }
  // What could not be read may be what was looked for.
  if (documents.empty() && !unread.empty()) return {std::move(unread), {}};
  ComponentsChecked checked = CheckDocuments(documents, named);
  Append(std::move(unread), checked.findings);
  return checked;
}

Findings CheckHomeComponents(const std::vector<ComponentFile>& ours,
                             const std::string& home,
                             const std::string& resources) {
  Findings findings;
  for (const std::string& path : YamlFilesIn(home)) {
    const absl::StatusOr<std::vector<ComponentDocument>> documents =
        ReadComponentDocuments(path);
    if (!documents.ok()) continue;
    for (const ComponentDocument& document : *documents) {
      for (const ComponentFile& component : ours) {
        if (document.kind == kKind && document.name == component.name) {
          findings.push_back(NameAtHome(component, document, resources));
        }
      }
    }
  }
  return findings;
}

}  // namespace statecpp
