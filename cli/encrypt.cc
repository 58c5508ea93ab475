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

// So that a server that starts now finds the store as it is.
ExitCode ChangeWhatIsRemembered(const OfflineCopy& copy) {
  if (copy.root() == nullptr) return kExitOk;
  const absl::StatusOr<std::vector<std::string>> changed =
      RequireEncryptionOf(*copy.root(), copy.target().data_dir);
  if (!changed.ok()) {
    std::cerr << "statecpp: the store is sealed, but what is remembered of its "
                 "instances still says that it is not; run this again, or "
                 "have daprd configure them\n";
    return Fail(changed.status());
  }
  if (!changed->empty()) {
    std::cout << "remembered from now on: encryption is required for "
              << absl::StrJoin(*changed, ", ") << "\n";
  }
  return kExitOk;
}

ExitCode Encrypt(const OfflineCopyFlags& flags) {
  const absl::StatusOr<OfflineCopy> copy = OfflineCopy::Begin(flags);
  if (!copy.ok()) return FailOffline(copy.status());
  const absl::StatusOr<CopyReport> report = copy->Run(&EncryptStore);
  if (absl::IsAlreadyExists(report.status())) {
    std::cout << report.status().message() << "\n";
    return ChangeWhatIsRemembered(*copy);
  }
  if (!report.ok()) return FailOffline(report.status());
  std::cout << "sealed " << copy->target().name() << ": "
            << DescribeCopy(*report) << "\n";
  const ExitCode remembered = ChangeWhatIsRemembered(*copy);
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
}

}  // namespace statecpp
