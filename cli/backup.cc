// SPDX-License-Identifier: Apache-2.0
#include "cli/backup.h"

#include <signal.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/end_signals.h"
#include "cli/failure.h"
#include "cli/key_flags.h"
#include "cli/step_progress.h"
#include "cli/store_flags.h"
#include "cli/store_session.h"
#include "cli/store_target.h"
#include "engine/backup.h"
#include "engine/file_system.h"
#include "server/admin_listener.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

struct BackupFlags {
  StoreTargetFlags target;
  KeyFlags keys;
  std::string path;
  bool json = false;
  bool quiet = false;
};

// Shows how far the backup is, and keeps what came of it.
class BackupListener final : public AdminListener {
 public:
  explicit BackupListener(bool quiet) : steps_(quiet) {}

  bool Tell(const AdminReply& reply) override {
    if (const auto* told = std::get_if<BackupRequest::Progress>(&reply)) {
      SaySlowed(told->slowed);
      steps_.Report(NameOf(told->step), told->done, told->total);
      return !EndWasAsked();
    }
    if (const auto* answer = std::get_if<BackupReport>(&reply)) {
      report = *answer;
      steps_.End();
    }
    return true;
  }
  bool LeavesWithin(absl::Duration duration) override {
    const sigset_t signals = EndSignals();
    const timespec wait = absl::ToTimespec(duration);
    return sigtimedwait(&signals, nullptr, &wait) > 0;
  }

  void Drop() { steps_.Drop(); }

  std::optional<BackupReport> report;

 private:
  // Whatever --quiet says: others wait for this.
  void SaySlowed(absl::Duration slowed) {
    if (slowed == absl::ZeroDuration() || std::exchange(said_, true)) return;
    steps_.Drop();
    std::cerr << "the backup does not keep up with the writes: they are slowed "
                 "until it is done\n";
  }

  StepProgress steps_;
  bool said_ = false;
};

void Print(const BackupReport& report, const std::string& store,
           const std::string& path) {
  std::cout << "backed up " << store << " to " << path << ": " << report.records
            << " records, " << DescribeBytes(report.bytes) << ", as of commit "
            << report.commit_seq << "\n";
  if (report.resumed) {
    std::cout << "went on from an interrupted one: " << report.copied
              << " records were copied now\n";
  }
  if (report.slowed > absl::ZeroDuration()) {
    std::cout << "writes were slowed: each commit waited up to "
              << absl::FormatDuration(report.slowed) << "\n";
  }
}

void PrintJson(const BackupReport& report, const std::string& store,
               const std::string& path) {
  std::cout << "{\"store\": " << JsonText(store)
            << ", \"path\": " << JsonText(path)
            << ", \"records\": " << report.records
            << ", \"bytes\": " << report.bytes
            << ", \"commitSeq\": " << report.commit_seq
            << ", \"copied\": " << report.copied
            << ", \"resumed\": " << (report.resumed ? "true" : "false")
            << ", \"rounds\": " << report.rounds
            << ", \"rescans\": " << report.rescans << ", \"slowedMillis\": "
            << absl::ToInt64Milliseconds(report.slowed) << "}\n";
}

// Whoever left did not hear what the server said of it.
absl::Status InWords(const absl::Status& answered, const std::string& path) {
  if (!absl::IsCancelled(answered)) return answered;
  return absl::CancelledError(absl::StrCat(
      "interrupted, there is no backup; what was copied is kept at ", path,
      ".partial, and the same backup goes on from there"));
}

ExitCode Backup(const BackupFlags& flags) {
  const absl::StatusOr<StoreTarget> target = FindStore(flags.target);
  if (!target.ok()) return Fail(target.status());
  absl::StatusOr<StoreSession> session = BeginSession(*target, flags.keys);
  if (!session.ok()) return Fail(session.status());
  // The server's working folder is another.
  const std::string path =
      flags.path.empty()
          ? ""
          : WithoutSlashes(std::filesystem::absolute(flags.path).string());
  BackupListener listener(flags.quiet);
  const absl::Status answered = session->Ask(
      AdminRequest::Backup{.path = path, .outside = target->data_root},
      listener);
  if (!answered.ok()) {
    listener.Drop();
    return Fail(InWords(answered, path));
  }
  if (!listener.report.has_value()) {
    return Fail(absl::InternalError("the server did not say what came of it"));
  }
  if (flags.json) {
    PrintJson(*listener.report, target->name(), path);
  } else {
    Print(*listener.report, target->name(), path);
  }
  return kExitOk;
}

}  // namespace

void AddBackup(VerbTable& verbs) {
  auto flags = std::make_shared<BackupFlags>();
  CLI::App* const verb = verbs.Add(
      "backup", "Copy a store to a new folder, served or not, and prove it",
      [flags] { return Backup(*flags); }, VerbTable::Signals::kBlocked);
  verb->add_option("PATH", flags->path,
                   "The folder to make; the same again goes on with a backup "
                   "that was interrupted")
      ->required();
  AddStoreTargetFlags(verb, flags->target);
  AddKeyFlags(verb, flags->keys);
  verb->add_flag("--json", flags->json, "Print one object of JSON");
  verb->add_flag("--quiet", flags->quiet, "Do not show how far it is");
  AddToHelp(verb,
            "Example:\n"
            "  statecpp backup --data-root /var/lib/statecpp --store orders "
            "/backups/orders-1");
}

}  // namespace statecpp
