// SPDX-License-Identifier: Apache-2.0
#include "cli/compact.h"

#include <iostream>
#include <memory>

#include "absl/status/statusor.h"
#include "cli/failure.h"
#include "cli/offline_copy.h"

namespace statecpp {
namespace {

ExitCode Compact(const OfflineCopyFlags& flags) {
  const absl::StatusOr<OfflineCopy> copy = OfflineCopy::Begin(flags);
  if (!copy.ok()) return FailOffline(copy.status());
  const absl::StatusOr<CopyReport> report = copy->Run(&CompactStore);
  if (!report.ok()) return FailOffline(report.status());
  if (flags.json) {
    std::cout << "{" << CopyMembers(copy->target(), *report) << "}\n";
  } else {
    std::cout << "compacted " << copy->target().name() << ": "
              << DescribeCopy(*report) << "\n";
  }
  return report->removed.ok() ? kExitOk : Fail(report->removed);
}

}  // namespace

void AddCompact(VerbTable& verbs) {
  auto flags = std::make_shared<OfflineCopyFlags>();
  CLI::App* const verb = verbs.Add(
      "compact",
      "Rewrite a store that nobody serves, without what was deleted in it",
      [flags] { return Compact(*flags); }, VerbTable::Signals::kBlocked);
  AddOfflineCopyFlags(verb, *flags);
  AddToHelp(verb,
            "Example:\n"
            "  statecpp compact --data-root /var/lib/statecpp --store orders "
            "--key-file /etc/statecpp/prod.key");
}

}  // namespace statecpp
