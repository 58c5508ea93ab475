// SPDX-License-Identifier: Apache-2.0
#include "cli/offline_copy.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/end_signals.h"
#include "cli/failure.h"
#include "cli/step_progress.h"
#include "cli/store_faults.h"
#include "cli/store_key.h"
#include "engine/error_payload.h"
#include "server/json_text.h"

namespace statecpp {

void AddOfflineCopyFlags(CLI::App* verb, OfflineCopyFlags& flags) {
  AddStoreTargetFlags(verb, flags.target);
  AddKeyFlags(verb, flags.keys);
  verb->add_flag("--quiet", flags.quiet, "Do not show how far it is");
  verb->add_flag("--json", flags.json, "Print one object of JSON");
}

absl::StatusOr<OfflineCopy> OfflineCopy::Begin(const OfflineCopyFlags& flags) {
  absl::StatusOr<StoreTarget> target = FindStore(flags.target);
  if (!target.ok()) return target.status();
  absl::StatusOr<std::shared_ptr<const KeySource>> source =
      ChooseStoreKey(*target, flags.keys);
  if (!source.ok()) return source.status();
  std::optional<DataRoot> root;
  if (!target->data_root.empty()) {
    absl::StatusOr<DataRoot> held =
        DataRoot::Open(target->data_root, absl::ZeroDuration(),
                       /*allow_network_file_system=*/false);
    if (!held.ok()) return held.status();
    root.emplace(*std::move(held));
  }
  std::shared_ptr<const MasterKeys> keys;
  if (*source != nullptr) {
    absl::StatusOr<std::shared_ptr<const MasterKeys>> loaded =
        (*source)->Load();
    if (!loaded.ok()) return loaded.status();
    keys = *std::move(loaded);
  }
  return OfflineCopy(*std::move(target), std::move(root), *std::move(source),
                     std::move(keys), flags.quiet);
}

absl::StatusOr<CopyReport> OfflineCopy::Run(
    const std::function<absl::StatusOr<CopyReport>(const CopyOptions&)>& copy)
    const {
  EndOnMemoryFaults();
  StepProgress steps(quiet_);
  absl::StatusOr<CopyReport> report = copy(
      {.path = target_.folder,
       .keys = keys_,
       .on_progress =
           [&steps](CopyOptions::Step step, uint64_t done, uint64_t total) {
             steps.Report(NameOf(step), done, total);
             return !EndWasAsked();
           },
       .on_assertion = EndVerbOnAssertion});
  if (report.ok()) {
    steps.End();
  } else {
    steps.Drop();
  }
  return report;
}

ExitCode FailOffline(const absl::Status& status) {
  const ExitCode code = Fail(status);
  if (error::IsStoreHeld(status)) {
    std::cerr << "this is done while nobody has the store: stop the server (or "
                 "the program that has it), run this again, and start it "
                 "afterwards\n";
  }
  return code;
}

std::string DescribeCopy(const CopyReport& report) {
  return absl::StrCat(report.records, " records, ",
                      DescribeBytes(report.bytes_before), " before, ",
                      DescribeBytes(report.bytes_after), " now");
}

std::string CopyMembers(const StoreTarget& target, const CopyReport& report) {
  return absl::StrCat(
      "\"store\":", JsonText(target.name()), ",\"records\":", report.records,
      ",\"bytesBefore\":", report.bytes_before,
      ",\"bytesAfter\":", report.bytes_after,
      ",\"formerRemoved\":", report.removed.ok() ? "true" : "false");
}

}  // namespace statecpp
