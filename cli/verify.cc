// SPDX-License-Identifier: Apache-2.0
#include "cli/verify.h"

#include <signal.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cli/end_signals.h"
#include "cli/failure.h"
#include "cli/json_text.h"
#include "cli/key_flags.h"
#include "cli/progress.h"
#include "cli/store_session.h"
#include "cli/store_target.h"
#include "engine/store_verifier.h"
#include "engine/walk_child.h"
#include "engine/walk_report.h"

namespace statecpp {
namespace {

struct VerifyFlags {
  StoreTargetFlags target;
  KeyFlags keys;
  VerifyRequest request;
  bool repair = false;
  bool json = false;
  bool quiet = false;
};

void PrintFinding(const WalkFinding& finding) {
  std::cout << NameOf(finding.kind);
  if (!finding.place.empty()) {
    std::cout << " " << absl::BytesToHexString(finding.place);
  }
  if (!finding.key.empty()) {
    std::cout << " \"" << absl::CHexEscape(finding.key) << "\"";
  }
  std::cout << ": " << finding.reason << "\n";
}

absl::string_view NameOf(WalkReport::Accumulator accumulator) {
  switch (accumulator) {
    case WalkReport::Accumulator::kAgrees:
      return "agrees";
    case WalkReport::Accumulator::kDiffers:
      return "differs";
    case WalkReport::Accumulator::kUnknown:
      break;
  }
  return "unknown";
}

std::string JsonOf(const WalkReport& report) {
  std::string keys;
  for (const WalkReport::DataKey& key : report.data_keys) {
    absl::StrAppend(&keys, keys.empty() ? "" : ", ", "{\"id\": ", key.id,
                    ", \"counted\": ", key.counted, ", \"kept\": ", key.kept,
                    "}");
  }
  const auto flag = [](bool value) { return value ? "true" : "false"; };
  return absl::StrCat(
      "{\"clean\": ", flag(report.clean()),
      ", \"complete\": ", flag(report.complete),
      ", \"findings\": ", report.findings, ", \"records\": ", report.records,
      ", \"expired\": ", report.expired, ", \"damaged\": ", report.damaged,
      ", \"bytes\": ", report.bytes,
      ", \"expiryEntries\": ", report.expiry_entries,
      ", \"strayEntries\": ", report.stray_entries,
      ", \"commitSeq\": ", report.commit_seq,
      ", \"unreadable\": ", report.unreadable,
      ", \"accumulator\": ", JsonText(NameOf(report.accumulator)),
      ", \"dataKeys\": [", keys, "], \"accepted\": ", flag(report.accepted),
      ", \"mended\": ", report.mended, ", \"dropped\": ", report.dropped,
      "}\n");
}

void PrintReport(const StoreTarget& target, const WalkReport& report) {
  std::cout << target.name() << ": " << report.records << " records ("
            << report.expired << " expired, " << report.damaged << " damaged), "
            << report.bytes << " bytes, commit " << report.commit_seq
            << "; the accumulator " << NameOf(report.accumulator) << "\n";
  for (const WalkReport::DataKey& key : report.data_keys) {
    std::cout << "data key " << key.id << ": " << key.counted
              << " records, expected " << key.kept << "\n";
  }
  if (report.accepted) {
    std::cout
        << "accepted as it is now: " << report.mended << " findings mended, "
        << report.dropped
        << " damaged records removed. What was replayed or deleted before "
           "can no longer be seen\n";
  }
  std::cout << (report.clean() ? "clean\n"
                               : "NOT clean; restore it from a backup, or "
                                 "overwrite or delete the damaged keys\n");
}

// SIGINT or SIGTERM has come; both are blocked.
bool AskedToEnd() {
  const sigset_t signals = EndSignals();
  const timespec now = {};
  return sigtimedwait(&signals, nullptr, &now) > 0;
}

absl::Status Check(const VerifyFlags& flags) {
  if (flags.repair != flags.request.accept) {
    return absl::InvalidArgumentError(
        "--repair and --accept go together: what cannot be mended is accepted "
        "as it is; nothing was changed");
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
      ChooseKeySource(flags.keys);
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
  const absl::StatusOr<StoreTarget> target = FindStore(flags.target);
  if (!target.ok()) return Fail(target.status());
  Progress progress("verifying", {.quiet = flags.quiet || flags.json});
  VerifyEvents events;
  if (!flags.json) events.found = PrintFinding;
  events.progress = [&progress](uint64_t records, uint64_t, uint64_t total) {
    progress.Report(records, total);
    return !AskedToEnd();
  };
  const absl::StatusOr<WalkReport> report =
      target->served ? VerifyServed(flags, *target, events)
                     : VerifyHere(flags, *target, events);
  if (!report.ok() && target->served && flags.repair) {
    std::cerr << "statecpp: " << report.status().message() << "\n";
    return kExitLockHeld;
  }
  if (!report.ok()) return Fail(report.status());
  progress.End();
  if (flags.json) {
    std::cout << JsonOf(*report);
  } else {
    PrintReport(*target, *report);
  }
  return report->clean() ? kExitOk : kExitDamaged;
}

ExitCode Walk(const std::vector<std::string>& words) {
  const absl::Status walked = WalkForParent(words);
  return walked.ok() ? kExitOk : Fail(walked);
}

}  // namespace

void AddVerify(VerbTable& verbs) {
  auto flags = std::make_shared<VerifyFlags>();
  CLI::App* const verify = verbs.Add(
      "verify", "Look at every record of a store, served or not",
      [flags] { return Verify(*flags); }, VerbTable::Signals::kBlocked);
  AddStoreTargetFlags(verify, flags->target);
  AddKeyFlags(verify, flags->keys);
  verify->add_flag("--quick", flags->request.quick,
                   "Sees replayed and deleted records, not damage inside one");
  verify->add_flag("--show-keys", flags->request.show_keys,
                   "Name the keys of items, where they can be read");
  verify->add_flag("--repair", flags->repair,
                   "With --accept: make what is there what is expected");
  verify->add_flag("--accept", flags->request.accept,
                   "Needed by --repair: what was lost is not asked for again");
  verify->add_flag("--drop-damaged", flags->request.drop_damaged,
                   "With --repair: remove records that do not open");
  verify->add_flag("--json", flags->json, "As one line of JSON");
  verify->add_flag("--quiet", flags->quiet, "Print no progress");

  auto words = std::make_shared<std::vector<std::string>>();
  // Not for people, so --help does not name it.
  CLI::App* const walk =
      verbs.Add("walk-store", "", [words] { return Walk(*words); });
  walk->group("");
  walk->add_option("WORDS", *words);
}

}  // namespace statecpp
