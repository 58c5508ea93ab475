// SPDX-License-Identifier: Apache-2.0
#include "cli/verify.h"

#include <signal.h>
#include <sys/prctl.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/end_signals.h"
#include "cli/failure.h"
#include "cli/progress.h"
#include "cli/store_flags.h"
#include "cli/store_key.h"
#include "cli/store_session.h"
#include "cli/store_target.h"
#include "cli/verify_text.h"
#include "engine/store_verifier.h"
#include "engine/walk_child.h"
#include "engine/walk_report.h"

namespace statecpp {
namespace {

struct VerifyFlags {
  StoreFlags store;
  VerifyRequest request;
  bool repair = false;
  bool json = false;
  bool quiet = false;
};

absl::Status Check(const VerifyFlags& flags) {
  if (flags.repair != flags.request.accept) {
    return absl::InvalidArgumentError(
        "--repair and --accept go together: records that are missing cannot be "
        "brought back, only accepted as missing; nothing was changed");
  }
  if (flags.repair && flags.request.quick) {
    return absl::InvalidArgumentError(
        "--repair looks at every byte, so it does not go with --quick; nothing "
        "was changed");
  }
  if (flags.request.drop_damaged && !flags.repair) {
    return absl::InvalidArgumentError(
        "--drop-damaged goes with --repair --accept; nothing was changed");
  }
  return absl::OkStatus();
}

// What a server answers, handed on as a walk's own events.
class ServedWalk final : public AdminListener {
 public:
  explicit ServedWalk(const VerifyEvents& events) : events_(events) {}

  bool Tell(const AdminReply& reply) override {
    if (const auto* finding = std::get_if<WalkFinding>(&reply)) {
      if (events_.found != nullptr) events_.found(*finding);
    } else if (const auto* walked = std::get_if<AdminWalked>(&reply)) {
      return events_.progress(walked->records, 0, walked->total);
    } else if (const auto* answer = std::get_if<WalkReport>(&reply)) {
      report = *answer;
    }
    return true;
  }
  bool LeavesWithin(absl::Duration duration) override {
    const sigset_t signals = EndSignals();
    const timespec wait = absl::ToTimespec(duration);
    return sigtimedwait(&signals, nullptr, &wait) > 0;
  }

  std::optional<WalkReport> report;

 private:
  const VerifyEvents& events_;
};

absl::StatusOr<WalkReport> VerifyServed(const VerifyFlags& flags,
                                        const StoreTarget& target,
                                        const VerifyEvents& events) {
  if (flags.repair) {
    return absl::UnavailableError(absl::StrCat(
        "a server runs on ", target.data_root,
        ", and a repair needs the store closed; stop it first; nothing was "
        "changed"));
  }
  absl::StatusOr<StoreSession> session = StoreSession::Begin(target, nullptr);
  if (!session.ok()) return session.status();
  ServedWalk walk(events);
  const absl::Status answered =
      session->Ask(AdminRequest::Verify{.quick = flags.request.quick,
                                        .show_keys = flags.request.show_keys},
                   walk);
  if (!answered.ok()) return answered;
  if (!walk.report.has_value()) {
    return absl::InternalError("the server did not say what it found");
  }
  return *walk.report;
}

absl::StatusOr<WalkReport> VerifyHere(const VerifyFlags& flags,
                                      const StoreTarget& target,
                                      const VerifyEvents& events) {
  const absl::StatusOr<std::shared_ptr<const KeySource>> source =
      ChooseStoreKey(target, flags.store.keys);
  if (!source.ok()) return source.status();
  Options options = {.path = target.folder, .create = false};
  if (*source != nullptr) {
    absl::StatusOr<std::shared_ptr<const MasterKeys>> keys = (*source)->Load();
    if (!keys.ok()) return keys.status();
    options.keys = *std::move(keys);
  }
  return VerifyClosedStore(options, flags.request, events);
}

ExitCode Verify(const VerifyFlags& flags) {
  if (const absl::Status fits = Check(flags); !fits.ok()) return Fail(fits);
  const absl::StatusOr<StoreTarget> target = FindStore(flags.store.target);
  if (!target.ok()) return Fail(target.status());
  VerifyText text(
      std::cout,
      flags.json ? VerifyText::Form::kJson : VerifyText::Form::kLines,
      target->name(),
      {.accept = flags.repair, .drop_damaged = flags.request.drop_damaged});
  Progress progress("verifying", {.quiet = flags.quiet});
  const VerifyEvents events = {
      .found =
          [&](const WalkFinding& finding) {
            progress.Hide();
            text.Found(finding);
          },
      .progress =
          [&progress](uint64_t records, uint64_t, uint64_t total) {
            progress.Report(records, total);
            return !EndWasAsked();
          }};
  const absl::StatusOr<WalkReport> report =
      target->served ? VerifyServed(flags, *target, events)
                     : VerifyHere(flags, *target, events);
  progress.Hide();
  if (!report.ok()) {
    const ExitCode code = Fail(report.status());
    return target->served && flags.repair ? kExitLockHeld : code;
  }
  text.Report(*report);
  return report->clean() ? kExitOk : kExitDamaged;
}

ExitCode Walk(const std::vector<std::string>& words) {
  // With whoever started it; it would end as well when nobody hears it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const absl::Status walked = WalkForParent(words);
  return walked.ok() ? kExitOk : Fail(walked);
}

}  // namespace

void AddVerify(VerbTable& verbs) {
  auto flags = std::make_shared<VerifyFlags>();
  CLI::App* const verify = verbs.Add(
      "verify", "Look for damage at every record of a store, served or not",
      [flags] { return Verify(*flags); }, VerbTable::Signals::kBlocked);
  AddStoreFlags(verify, flags->store);
  verify->add_flag("--quick", flags->request.quick,
                   "Sees replayed and deleted records, not damage inside one");
  verify->add_flag("--show-keys", flags->request.show_keys,
                   "Name the keys of items, where they can be read");
  verify->add_flag("--repair", flags->repair,
                   "With --accept, while no server runs: take the records that "
                   "are there for all there should be");
  verify->add_flag("--accept", flags->request.accept,
                   "With --repair: what was replayed or deleted before can no "
                   "longer be seen");
  verify->add_flag("--drop-damaged", flags->request.drop_damaged,
                   "With --repair --accept: remove the records that do not "
                   "open, each of which is named");
  verify->add_flag("--json", flags->json, "Print one object of JSON");
  verify->add_flag("--quiet", flags->quiet, "Do not show how far it is");
  AddToHelp(verify,
            "Example:\n"
            "  statecpp verify --data-root /var/lib/statecpp --store orders");

  auto words = std::make_shared<std::vector<std::string>>();
  // Not for people, so --help does not name it.
  CLI::App* const walk =
      verbs.Add("walk-store", "", [words] { return Walk(*words); });
  walk->group("");
  walk->add_option("WORDS", *words);
}

}  // namespace statecpp
