// SPDX-License-Identifier: Apache-2.0
#include "cli/backup.h"

#include <signal.h>

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/admin_message.h"
#include "cli/backup_series.h"
#include "cli/duration_flag.h"
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
  std::string path = "";
  std::string into = "";
  bool all = false;
  // 0: all of them.
  size_t keep = 0;
  // Infinite: once.
  absl::Duration every = absl::InfiniteDuration();
  bool json = false;
  bool quiet = false;
};

// With --every, how often it is looked whether a backup is due, and how long
// after one that failed.
constexpr absl::Duration kLookInterval = absl::Minutes(1);
constexpr absl::Duration kRetryInterval = absl::Minutes(5);

absl::Status NoPlaceNamed() {
  return absl::InvalidArgumentError(
      "name where the backup is to be: a PATH that is not there yet, or --into "
      "a folder of backups; nothing was backed up");
}

absl::Status NeverRests() {
  return absl::InvalidArgumentError(
      "--every is to be longer than 0s; leave it out for one backup; nothing "
      "was backed up");
}

// As where two containers have different volumes on one path.
absl::Status MadeElsewhere(absl::string_view path) {
  return absl::FailedPreconditionError(absl::StrCat(
      "the server made the backup at ", path,
      ", and here there is none: --into has to be the same folder for the "
      "server and for this; the backup is whole, and no earlier one was "
      "removed"));
}

absl::Status NoServer(absl::string_view store) {
  return absl::UnavailableError(absl::StrCat(
      "no server serves ", store,
      ", and --every leaves a store to its server; start one; nothing was "
      "backed up"));
}

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

absl::Status BackUp(const BackupFlags& flags, const StoreTarget& target,
                    const std::string& path) {
  absl::StatusOr<StoreSession> session = BeginSession(target, flags.keys);
  if (!session.ok()) return session.status();
  BackupListener listener(flags.quiet);
  const absl::Status answered = session->Ask(
      AdminRequest::Backup{.path = path, .outside = target.data_root},
      listener);
  if (!answered.ok()) {
    listener.Drop();
    return InWords(answered, path);
  }
  if (!listener.report.has_value()) {
    return absl::InternalError("the server did not say what came of it");
  }
  if (flags.json) {
    PrintJson(*listener.report, target.name(), path);
  } else {
    Print(*listener.report, target.name(), path);
  }
  std::cout.flush();
  return absl::OkStatus();
}

// The server's working folder is another.
std::string WholePath(const std::string& path) {
  if (path.empty()) return "";
  return WithoutSlashes(std::filesystem::absolute(path).string());
}

BackupSeries SeriesOf(const BackupFlags& flags, const StoreTarget& target) {
  return BackupSeries(
      WholePath(flags.into),
      std::filesystem::path(WholePath(target.folder)).filename().string());
}

// Whether an interrupted backup is of no more use here: it is another store's
// by now, somebody else's, or not alone under its name.
bool CannotGoOn(const absl::Status& status) {
  return absl::IsAlreadyExists(status) || absl::IsFailedPrecondition(status);
}

// Goes on with what was interrupted, else begins anew; where the backup is.
absl::StatusOr<std::string> MakeInSeries(const BackupFlags& flags,
                                         const StoreTarget& target,
                                         const BackupSeries& series) {
  const absl::StatusOr<std::optional<std::string>> interrupted =
      series.InterruptedPath();
  if (!interrupted.ok()) return interrupted.status();
  if (interrupted->has_value()) {
    const absl::Status done = BackUp(flags, target, **interrupted);
    if (done.ok()) return **interrupted;
    if (!CannotGoOn(done)) return done;
    std::cerr << "statecpp: " << done.message()
              << "; a new backup is begun beside it\n";
  }
  std::string path = series.FreePath(absl::Now());
  const absl::Status done = BackUp(flags, target, path);
  if (!done.ok()) return done;
  return path;
}

absl::Status AddToSeries(const BackupFlags& flags, const StoreTarget& target) {
  const BackupSeries series = SeriesOf(flags, target);
  const absl::StatusOr<std::string> path = MakeInSeries(flags, target, series);
  if (!path.ok()) return path.status();
  std::error_code ignored;
  if (!std::filesystem::is_directory(*path, ignored)) {
    return MadeElsewhere(*path);
  }
  if (flags.keep == 0) return absl::OkStatus();
  const absl::StatusOr<size_t> removed = series.KeepLatest(flags.keep, *path);
  if (!removed.ok()) return removed.status();
  if (*removed > 0 && !flags.json) {
    std::cout << "removed " << *removed << " earlier backups of "
              << target.name() << ", more than " << flags.keep << "\n"
              << std::flush;
  }
  return absl::OkStatus();
}

// One, or all of the data root.
absl::StatusOr<std::vector<StoreTarget>> TargetsOf(const BackupFlags& flags) {
  if (flags.all) return FindStores(flags.target);
  absl::StatusOr<StoreTarget> target = FindStore(flags.target);
  if (!target.ok()) return target.status();
  return std::vector<StoreTarget>{*std::move(target)};
}

ExitCode BackUpInto(const BackupFlags& flags) {
  const absl::StatusOr<std::vector<StoreTarget>> targets = TargetsOf(flags);
  if (!targets.ok()) return Fail(targets.status());
  if (targets->empty()) std::cerr << "there are no stores yet\n";
  ExitCode code = kExitOk;
  for (const StoreTarget& target : *targets) {
    const absl::Status done = AddToSeries(flags, target);
    if (done.ok()) continue;
    const ExitCode failed = Fail(done);
    // One that cannot be backed up keeps no other from it.
    if (code == kExitOk) code = failed;
    if (absl::IsCancelled(done)) break;
  }
  return code;
}

// By the folder of its store, when the last one was made by this process: a
// folder in which none of them can be seen gets no more of them than another.
using LastMade = std::map<std::string, absl::Time>;

absl::Status AddIfDue(const BackupFlags& flags, const StoreTarget& target,
                      LastMade& last_made) {
  const absl::Time now = absl::Now();
  const auto latest = SeriesOf(flags, target).Latest(now);
  if (!latest.ok()) return latest.status();
  absl::Time last = latest->value_or(absl::InfinitePast());
  if (const auto own = last_made.find(target.folder);
      own != last_made.end() && own->second <= now) {
    last = std::max(last, own->second);
  }
  if (now < last + flags.every) return absl::OkStatus();
  if (!target.served) return NoServer(target.name());
  absl::Status done = AddToSeries(flags, target);
  if (done.ok() || absl::IsFailedPrecondition(done)) {
    last_made[target.folder] = now;
  }
  return done;
}

enum class Pass { kDone, kFailed, kEnd };

// Backs up what is due.
Pass BackUpDue(const BackupFlags& flags, LastMade& last_made) {
  const absl::StatusOr<std::vector<StoreTarget>> targets = TargetsOf(flags);
  if (!targets.ok()) {
    Fail(targets.status());
    return absl::IsCancelled(targets.status()) ? Pass::kEnd : Pass::kFailed;
  }
  Pass pass = Pass::kDone;
  for (const StoreTarget& target : *targets) {
    const absl::Status done = AddIfDue(flags, target, last_made);
    if (done.ok()) continue;
    Fail(done);
    if (absl::IsCancelled(done)) return Pass::kEnd;
    pass = Pass::kFailed;
  }
  return pass;
}

// Until it is told to end.
ExitCode BackUpEvery(const BackupFlags& flags) {
  const sigset_t signals = EndSignals();
  LastMade last_made;
  for (;;) {
    const Pass pass = BackUpDue(flags, last_made);
    if (pass == Pass::kEnd) return kExitOk;
    absl::Duration wait = std::min(flags.every, kLookInterval);
    if (pass == Pass::kFailed) {
      wait = std::min(flags.every, kRetryInterval);
      std::cerr << "what failed is tried again in "
                << absl::FormatDuration(wait) << "\n";
    }
    const timespec time = absl::ToTimespec(wait);
    if (sigtimedwait(&signals, nullptr, &time) > 0) return kExitOk;
  }
}

ExitCode Backup(const BackupFlags& flags) {
  if (flags.every <= absl::ZeroDuration()) return Fail(NeverRests());
  if (flags.every < absl::InfiniteDuration()) return BackUpEvery(flags);
  if (!flags.into.empty()) return BackUpInto(flags);
  if (flags.path.empty()) return Fail(NoPlaceNamed());
  const absl::StatusOr<StoreTarget> target = FindStore(flags.target);
  if (!target.ok()) return Fail(target.status());
  const absl::Status done = BackUp(flags, *target, WholePath(flags.path));
  return done.ok() ? kExitOk : Fail(done);
}

void AddSeriesFlags(CLI::App* verb, BackupFlags& flags, CLI::Option* path) {
  CLI::Option* const into =
      verb->add_option("--into", flags.into,
                       "Instead of PATH: a folder in which each backup gets "
                       "one of its own, such as orders-20261123T040000Z. One "
                       "that was interrupted is gone on with first")
          ->type_name("DIR")
          ->excludes(path);
  verb->add_flag("--all", flags.all,
                 "With --into: every store of the data root")
      ->needs(into)
      ->excludes(verb->get_option("--store"))
      ->excludes(verb->get_option("--store-path"))
      ->excludes(verb->get_option("--component"));
  verb->add_option("--keep", flags.keep,
                   "With --into: once a backup is made, remove all but the "
                   "latest that many of its store")
      ->needs(into)
      ->check(CLI::PositiveNumber);
  AddDuration(verb, "--every", flags.every,
              "With --into: do not end, but make a backup whenever the latest "
              "is that old, through the server that has the store")
      ->needs(into)
      ->excludes(verb->get_option("--store-path"));
}

}  // namespace

void AddBackup(VerbTable& verbs) {
  auto flags = std::make_shared<BackupFlags>();
  CLI::App* const verb = verbs.Add(
      "backup", "Copy a store to a new folder, served or not, and prove it",
      [flags] { return Backup(*flags); }, VerbTable::Signals::kBlocked);
  CLI::Option* const path =
      verb->add_option("PATH", flags->path,
                       "The folder to make; the same again goes on with a "
                       "backup that was interrupted");
  AddStoreTargetFlags(verb, flags->target);
  AddKeyFlags(verb, flags->keys);
  AddSeriesFlags(verb, *flags, path);
  verb->add_flag("--json", flags->json, "Print one object of JSON");
  verb->add_flag("--quiet", flags->quiet, "Do not show how far it is");
  AddToHelp(verb,
            "Example:\n"
            "  statecpp backup --data-root /var/lib/statecpp --store orders "
            "/backups/orders-1\n"
            "  statecpp backup --data-root /var/lib/statecpp --all --into "
            "/backups --keep 7");
}

}  // namespace statecpp
