// SPDX-License-Identifier: Apache-2.0
#include "cli/restore.h"

#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/end_signals.h"
#include "cli/failure.h"
#include "cli/key_flags.h"
#include "cli/open_in_server.h"
#include "cli/step_progress.h"
#include "cli/store_faults.h"
#include "cli/store_key.h"
#include "cli/store_target.h"
#include "crypto/key_source.h"
#include "engine/error_payload.h"
#include "engine/store_restore.h"
#include "server/data_root.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

struct RestoreFlags {
  StoreTargetFlags target;
  KeyFlags keys;
  std::string backup;
  bool json = false;
  bool quiet = false;
};

void Print(const RestoreReport& report, const StoreTarget& target) {
  std::cout << "restored " << target.name() << ": " << report.records
            << " records, " << DescribeBytes(report.bytes) << ", as of commit "
            << report.commit_seq << "\n";
  if (!target.data_dir.empty()) {
    std::cout << "next: a component with dataDir " << target.data_dir
              << " and encryption " << (report.sealed ? "required" : "\"off\"")
              << " serves it\n";
  }
}

void PrintJson(const RestoreReport& report, const StoreTarget& target) {
  std::cout << "{\"store\": " << JsonText(target.name())
            << ", \"path\": " << JsonText(target.folder)
            << ", \"records\": " << report.records
            << ", \"bytes\": " << report.bytes
            << ", \"commitSeq\": " << report.commit_seq
            << ", \"sealed\": " << (report.sealed ? "true" : "false") << "}\n";
}

// A server that has a store open whose folder was moved away goes on with the
// files that it has, and would answer from them beside what is restored.
absl::Status CheckNotOpen(const StoreTarget& target) {
  if (!target.served) return absl::OkStatus();
  const absl::StatusOr<bool> is_open =
      IsOpenInServer(target.data_root, target.data_dir);
  if (!is_open.ok()) return is_open.status();
  if (!*is_open) return absl::OkStatus();
  return error::AsStoreHeld(absl::UnavailableError(absl::StrCat(
      "the server has the store ", target.name(),
      " open, and would go on with the files that it has, wherever they are by "
      "now; back it up if what it holds is still wanted, stop the server, and "
      "restore then; nothing was restored")));
}

ExitCode Restore(const RestoreFlags& flags) {
  const absl::StatusOr<StoreTarget> target = FindPlaceForStore(flags.target);
  if (!target.ok()) return Fail(target.status());
  if (const absl::Status free = CheckNotOpen(*target); !free.ok()) {
    return Fail(free);
  }
  const absl::StatusOr<std::shared_ptr<const KeySource>> source =
      ChooseStoreKey(*target, flags.keys);
  if (!source.ok()) return Fail(source.status());
  CopyOptions options = {.path = flags.backup,
                         .walker = {"/proc/self/exe", "walk-store"},
                         .on_assertion = EndVerbOnAssertion};
  if (*source != nullptr) {
    absl::StatusOr<std::shared_ptr<const MasterKeys>> keys = (*source)->Load();
    if (!keys.ok()) return Fail(keys.status());
    options.keys = *std::move(keys);
  }
  // Makes its folders where the data root is new. Beside a server there is no
  // need: it makes no store where one came, nor does this.
  std::optional<absl::StatusOr<DataRoot>> root;
  if (!target->data_root.empty() && !target->served) {
    root.emplace(DataRoot::Open(target->data_root, absl::ZeroDuration(),
                                /*allow_network_file_system=*/false));
    if (!root->ok()) return Fail(root->status());
  }
  EndOnMemoryFaults();
  StepProgress steps(flags.quiet);
  options.on_progress = [&steps](CopyOptions::Step step, uint64_t done,
                                 uint64_t total) {
    steps.Report(NameOf(step), done, total);
    return !EndWasAsked();
  };
  const absl::StatusOr<RestoreReport> report =
      RestoreStore(options, target->folder);
  if (!report.ok()) {
    steps.Drop();
    return Fail(report.status());
  }
  steps.End();
  if (flags.json) {
    PrintJson(*report, *target);
  } else {
    Print(*report, *target);
  }
  return kExitOk;
}

}  // namespace

void AddRestore(VerbTable& verbs) {
  auto flags = std::make_shared<RestoreFlags>();
  CLI::App* const verb = verbs.Add(
      "restore", "Make a store of a backup, where there is none",
      [flags] { return Restore(*flags); }, VerbTable::Signals::kBlocked);
  verb->add_option("BACKUP", flags->backup, "The folder of the backup")
      ->required();
  AddStoreTargetFlags(verb, flags->target);
  AddKeyFlags(verb, flags->keys);
  verb->add_flag("--json", flags->json, "Print one object of JSON");
  verb->add_flag("--quiet", flags->quiet, "Do not show how far it is");
  AddToHelp(verb,
            "Example:\n"
            "  statecpp restore --data-root /var/lib/statecpp --store orders "
            "/backups/orders-1");
}

}  // namespace statecpp
