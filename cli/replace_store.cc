// SPDX-License-Identifier: Apache-2.0
#include "cli/replace_store.h"

#include <signal.h>

#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/end_signals.h"
#include "cli/failure.h"
#include "cli/key_flags.h"
#include "cli/progress.h"
#include "cli/store_target.h"
#include "engine/store_copy.h"

namespace statecpp {
namespace {

struct ReplaceFlags {
  StoreTargetFlags target;
  KeyFlags keys;
  bool quiet = false;
};

// SIGINT or SIGTERM has come; both are blocked.
bool AskedToEnd() {
  const sigset_t signals = EndSignals();
  const timespec now = {};
  return sigtimedwait(&signals, nullptr, &now) > 0;
}

// One line for each step.
class Steps {
 public:
  explicit Steps(bool quiet) : quiet_(quiet) {}

  bool Report(CopyOptions::Step step, uint64_t done, uint64_t total) {
    if (progress_ == nullptr || step != step_) {
      End();
      step_ = step;
      progress_ = std::make_unique<Progress>(
          NameOf(step), Progress::Options{.quiet = quiet_});
    }
    progress_->Report(done, total);
    return !AskedToEnd();
  }

  void End() {
    if (progress_ != nullptr) progress_->End();
    progress_ = nullptr;
  }

 private:
  static std::string NameOf(CopyOptions::Step step) {
    switch (step) {
      case CopyOptions::Step::kLook:
        return "looking";
      case CopyOptions::Step::kSort:
        return "sorting";
      case CopyOptions::Step::kCopy:
        return "copying";
      case CopyOptions::Step::kCheck:
        return "checking the copy";
    }
    return "working";
  }

  const bool quiet_;
  CopyOptions::Step step_ = CopyOptions::Step::kLook;
  std::unique_ptr<Progress> progress_;
};

// Servers let go of a store only when they end.
absl::Status CheckNotServed(const StoreTarget& target, absl::string_view verb) {
  if (!target.served) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "a server runs on ", target.data_root, "; stop it, run statecpp ", verb,
      " again, and start it; nothing was changed"));
}

absl::StatusOr<CopyOptions> OptionsOf(const ReplaceFlags& flags,
                                      const StoreTarget& target, Steps& steps) {
  const absl::StatusOr<std::shared_ptr<const KeySource>> source =
      ChooseKeySource(flags.keys);
  if (!source.ok()) return source.status();
  CopyOptions options = {.path = target.folder,
                         .walker = {"/proc/self/exe", "walk-store"}};
  if (*source != nullptr) {
    absl::StatusOr<std::shared_ptr<const MasterKeys>> keys = (*source)->Load();
    if (!keys.ok()) return keys.status();
    options.keys = *std::move(keys);
  }
  options.on_progress = [&steps](CopyOptions::Step step, uint64_t done,
                                 uint64_t total) {
    return steps.Report(step, done, total);
  };
  return options;
}

void PrintReport(absl::string_view done, const StoreTarget& target,
                 const CopyReport& report) {
  std::cout << done << " " << target.name() << ": " << report.records
            << (report.records == 1 ? " record, " : " records, ")
            << report.bytes_before << " bytes before, " << report.bytes_after
            << " after\n";
  if (!report.removed.ok()) {
    std::cerr << "statecpp: warning: " << report.removed.message() << "\n";
  }
}

ExitCode FailServed() { return kExitLockHeld; }

ExitCode Compact(const ReplaceFlags& flags) {
  const absl::StatusOr<StoreTarget> target = FindStore(flags.target);
  if (!target.ok()) return Fail(target.status());
  if (const absl::Status free = CheckNotServed(*target, "compact");
      !free.ok()) {
    std::cerr << "statecpp: " << free.message() << "\n";
    return FailServed();
  }
  Steps steps(flags.quiet);
  const absl::StatusOr<CopyOptions> options = OptionsOf(flags, *target, steps);
  if (!options.ok()) return Fail(options.status());
  const absl::StatusOr<CopyReport> report = CompactStore(*options);
  if (!report.ok()) return Fail(report.status());
  steps.End();
  PrintReport("compacted", *target, *report);
  return kExitOk;
}

ExitCode Encrypt(const ReplaceFlags& flags) {
  const absl::StatusOr<StoreTarget> target = FindStore(flags.target);
  if (!target.ok()) return Fail(target.status());
  if (const absl::Status free = CheckNotServed(*target, "encrypt");
      !free.ok()) {
    std::cerr << "statecpp: " << free.message() << "\n";
    return FailServed();
  }
  Steps steps(flags.quiet);
  const absl::StatusOr<CopyOptions> options = OptionsOf(flags, *target, steps);
  if (!options.ok()) return Fail(options.status());
  const absl::StatusOr<CopyReport> report = EncryptStore(*options);
  if (!report.ok()) return Fail(report.status());
  steps.End();
  PrintReport("encrypted", *target, *report);
  std::cout
      << "the former file is removed; its blocks, snapshots and backups may "
         "still hold clear text\n"
         "next: give the server this key, and in the component's YAML remove\n"
         "  - name: encryption\n"
         "    value: \"off\"\n";
  return kExitOk;
}

void AddVerb(VerbTable& verbs, const char* name, const char* help,
             ExitCode (*action)(const ReplaceFlags&)) {
  auto flags = std::make_shared<ReplaceFlags>();
  CLI::App* const verb = verbs.Add(
      name, help, [flags, action] { return action(*flags); },
      VerbTable::Signals::kBlocked);
  AddStoreTargetFlags(verb, flags->target);
  AddKeyFlags(verb, flags->keys);
  verb->add_flag("--quiet", flags->quiet, "Print no progress");
}

}  // namespace

void AddReplaceStore(VerbTable& verbs) {
  AddVerb(verbs, "compact",
          "Free the room that deleted and former records take; closed store",
          Compact);
  AddVerb(verbs, "encrypt", "Make a plain store a sealed one; closed store",
          Encrypt);
}

}  // namespace statecpp
