// SPDX-License-Identifier: Apache-2.0
#include "cli/component_clash_checks.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace statecpp {
namespace {

// --- The texts, one function each.

// daprd asks whether it knows the name before it asks for the later one's
// scopes.
Finding NameTwice(const ComponentDocument& document,
                  const ComponentDocument& before) {
  const std::string whose =
      before.scopes.empty()
          ? "daprd"
          : absl::StrCat("the daprd of ", absl::StrJoin(before.scopes, ", "));
  return Fault("component-name", SubjectOf(document),
               absl::StrCat("another component has this name (", before.path,
                            ", ", before.type, "), and ", whose,
                            " then loads none, whatever the scopes of this "
                            "one: \"duplicate definition\""),
               absl::StrCat("metadata: {name: ", document.name, "-2}"));
}

Finding TwoActorStores(const ComponentDocument& document,
                       const ComponentDocument& before) {
  return Fault(
      "component-actor-store", SubjectOf(document),
      absl::StrCat("actorStateStore is true here and in ", SubjectOf(before),
                   ": \"detected duplicate actor state store\""),
      "- {name: actorStateStore, value: \"false\"}");
}

// --- What is there.

// The first of those that were seen before, by the names of apps.
class Seen {
 public:
  // One that some app has as well as `later`; nullptr if none does.
  const ComponentDocument* SharedWith(const ComponentDocument& later) const {
    if (everybodys_ != nullptr) return everybodys_;
    if (later.scopes.empty()) return first_;
    for (const std::string& app : later.scopes) {
      const auto found = by_app_.find(app);
      if (found != by_app_.end()) return found->second;
    }
    return nullptr;
  }

  void Add(const ComponentDocument& document) {
    if (first_ == nullptr) first_ = &document;
    if (document.scopes.empty() && everybodys_ == nullptr) {
      everybodys_ = &document;
    }
    for (const std::string& app : document.scopes) {
      by_app_.emplace(app, &document);
    }
  }

 private:
  const ComponentDocument* first_ = nullptr;
  const ComponentDocument* everybodys_ = nullptr;
  std::map<std::string, const ComponentDocument*> by_app_;
};

}  // namespace

Findings CheckClashes(const std::vector<ComponentDocument>& documents,
                      bool (*is_ours)(const ComponentDocument&)) {
  Findings findings;
  std::map<std::string, const ComponentDocument*> names;
  std::map<std::string, const ComponentDocument*> our_names;
  Seen actor_stores;
  for (const ComponentDocument& document : documents) {
    const bool ours = is_ours(document);
    const auto& rivals = ours ? names : our_names;
    const auto before = rivals.find(document.name);
    if (before != rivals.end()) {
      findings.push_back(NameTwice(document, *before->second));
    }
    names.emplace(document.name, &document);
    if (ours) our_names.emplace(document.name, &document);
    if (!document.keeps_actors) continue;
    const ComponentDocument* const other = actor_stores.SharedWith(document);
    if (other != nullptr) findings.push_back(TwoActorStores(document, *other));
    actor_stores.Add(document);
  }
  return findings;
}

}  // namespace statecpp
