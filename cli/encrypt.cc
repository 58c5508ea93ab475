// SPDX-License-Identifier: Apache-2.0
#include "cli/encrypt.h"

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "cli/failure.h"
#include "cli/offline_copy.h"
#include "server/json_text.h"
#include "server/remembered_encryption.h"

namespace statecpp {
namespace {

void PrintNext(const OfflineCopy& copy) {
  const std::string& key = copy.source()->description();
  if (copy.root() == nullptr) {
    std::cout << "next: have the program that opens it name the same key ("
              << key << ") in Options::keys\n";
    return;
  }
  std::cout << "next:\n"
               "- in the component's YAML, take out\n"
               "      - name: encryption\n"
               "        value: \"off\"\n"
               "  or set its value to \"required\"\n"
               "- start the server with the same key ("
            << key << "): statecpp serve --data-root " << copy.root()->path()
            << " --key-file FILE, or its kin\n";
}

// So that a server that starts now finds the store as it is. Fills `changed`
// with the instances.
ExitCode ChangeWhatIsRemembered(const OfflineCopy& copy,
                                std::vector<std::string>& changed) {
  if (copy.root() == nullptr) return kExitOk;
  absl::StatusOr<std::vector<std::string>> names =
      RequireEncryptionOf(*copy.root(), copy.target().data_dir);
  if (!names.ok()) {
    std::cerr << "statecpp: the store is sealed, but what is remembered of its "
                 "instances still says that it is not; run this again, or "
                 "have daprd configure them\n";
    return Fail(names.status());
  }
  changed = *std::move(names);
  return kExitOk;
}

void PrintChanged(const std::vector<std::string>& changed) {
  if (changed.empty()) return;
  std::cout << "remembered from now on: encryption is required for "
            << absl::StrJoin(changed, ", ") << "\n";
}

// `members` say what was done to the store.
void PrintJson(absl::string_view members,
               const std::vector<std::string>& changed) {
  std::cout << "{" << members << ",\"remembered\":["
            << absl::StrJoin(changed, ",",
                             [](std::string* out, const std::string& name) {
                               out->append(JsonText(name));
                             })
            << "]}\n";
}

ExitCode Encrypt(const OfflineCopyFlags& flags) {
  const absl::StatusOr<OfflineCopy> copy = OfflineCopy::Begin(flags);
  if (!copy.ok()) return FailOffline(copy.status());
  const absl::StatusOr<CopyReport> report = copy->Run(&EncryptStore);
  const bool was_sealed = absl::IsAlreadyExists(report.status());
  if (!report.ok() && !was_sealed) return FailOffline(report.status());
  std::vector<std::string> changed;
  const ExitCode remembered = ChangeWhatIsRemembered(*copy, changed);
  if (flags.json) {
    PrintJson(was_sealed
                  ? absl::StrCat("\"store\":", JsonText(copy->target().name()),
                                 ",\"wasSealed\":true")
                  : CopyMembers(copy->target(), *report),
              changed);
    if (was_sealed || report->removed.ok()) return remembered;
    return Fail(report->removed);
  }
  if (was_sealed) {
    std::cout << report.status().message() << "\n";
    PrintChanged(changed);
    return remembered;
  }
  std::cout << "sealed " << copy->target().name() << ": "
            << DescribeCopy(*report) << "\n";
  PrintChanged(changed);
  std::cout << "what was in clear may still be read from unused blocks of the "
               "disk until they are overwritten, and from snapshots and "
               "backups: destroy those that are not needed\n";
  PrintNext(*copy);
  return report->removed.ok() ? remembered : Fail(report->removed);
}

}  // namespace

void AddEncrypt(VerbTable& verbs) {
  auto flags = std::make_shared<OfflineCopyFlags>();
  CLI::App* const verb = verbs.Add(
      "encrypt", "Seal a store that is in clear and that nobody serves",
      [flags] { return Encrypt(*flags); }, VerbTable::Signals::kBlocked);
  AddOfflineCopyFlags(verb, *flags);
  AddToHelp(verb,
            "Example:\n"
            "  statecpp encrypt --data-root /var/lib/statecpp --store orders "
            "--key-file /etc/statecpp/prod.key");
}

}  // namespace statecpp
