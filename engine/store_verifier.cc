// SPDX-License-Identifier: Apache-2.0
#include "engine/store_verifier.h"

#include <signal.h>

#include <cstring>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/errors.h"
#include "engine/store_folder.h"
#include "engine/store_header.h"
#include "engine/walk_lines.h"
#include "engine/walk_process.h"

namespace statecpp {
namespace {

using Event = WalkProcess::Event;
using Kind = WalkFinding::Kind;

// How often whoever waits is asked whether to go on.
constexpr absl::Duration kTick = absl::Milliseconds(100);

// What a process dies of that follows a damaged tree; of other signals somebody
// else sent one.
bool IsOfDamage(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT ||
         signal == SIGILL || signal == SIGFPE;
}

std::string SignalName(int signal) {
  const char* const name = sigabbrev_np(signal);
  return name != nullptr ? absl::StrCat("SIG", name)
                         : absl::StrCat("signal ", signal);
}

// One walk, as its parent hears of it.
class Listener {
 public:
  Listener(WalkProcess& process, const VerifyEvents& events,
           UnlockHeader unlock)
      : process_(process), events_(events), unlock_(unlock) {}

  absl::StatusOr<WalkReport> Run() {
    std::string line;
    for (;;) {
      switch (process_.Read(line, kTick)) {
        case Event::kTimeout:
          break;
        case Event::kTooLong:
          return Died(kRubbish);
        case Event::kEnd:
          return Ended();
        case Event::kLine: {
          std::optional<WalkLine> parsed = ParseWalkLine(line);
          // Nothing follows the report.
          if (!parsed.has_value() || report_.has_value()) return Died(kRubbish);
          const absl::Status heard =
              std::visit([this](auto& said) { return Hear(said); }, *parsed);
          if (!heard.ok()) return heard;
          if (header_damaged_) return Incomplete();
          if (rubbish_) return Died(kRubbish);
        }
      }
      if (events_.progress != nullptr &&
          !events_.progress(so_far_.records, so_far_.bytes, total_)) {
        return error::WalkStopped("it was cancelled");
      }
    }
  }

 private:
  static constexpr absl::string_view kRubbish = "what it wrote is no report";

  absl::Status Hear(const WalkHeader& header) {
    rubbish_ = std::exchange(has_header_, true);
    if (rubbish_) return absl::OkStatus();
    const absl::StatusOr<std::shared_ptr<const Keyring>> keyring =
        unlock_(header.bytes);
    if (keyring.ok()) {
      process_.Send((*keyring)->root());
      return absl::OkStatus();
    }
    if (!absl::IsDataLoss(keyring.status())) return keyring.status();
    Found({.kind = Kind::kHeader,
           .place = "",
           .key = "",
           .reason = error::ReasonOf(keyring.status())});
    header_damaged_ = true;
    return absl::OkStatus();
  }
  absl::Status Hear(const WalkTotal& total) {
    total_ = total.records;
    return absl::OkStatus();
  }
  absl::Status Hear(const WalkSoFar& so_far) {
    so_far_ = so_far;
    return absl::OkStatus();
  }
  absl::Status Hear(const WalkFinding& finding) {
    Found(finding);
    return absl::OkStatus();
  }
  absl::Status Hear(const WalkReport& report) {
    rubbish_ =
        report.findings != findings_ || (report.complete && !has_header_);
    report_ = report;
    return absl::OkStatus();
  }
  absl::Status Hear(const absl::Status& failed) { return failed; }
  absl::Status Hear(const WalkAssertion& assertion) {
    assertion_ = assertion.text;
    return absl::OkStatus();
  }

  void Found(const WalkFinding& finding) {
    ++findings_;
    if (finding.kind == Kind::kDamaged || finding.kind == Kind::kForeign) {
      ++damaged_;
    }
    if (events_.found != nullptr) events_.found(finding);
  }

  // The child's output is at its end.
  absl::StatusOr<WalkReport> Ended() {
    const WalkProcess::End end = process_.Finish();
    if (end.signal != 0) {
      if (!IsOfDamage(end.signal)) {
        return error::WalkStopped(SignalName(end.signal));
      }
      return Died(assertion_.empty() ? SignalName(end.signal) : assertion_);
    }
    if (!assertion_.empty()) return Died(assertion_);
    if (end.exit_code == 0 && report_.has_value()) return *report_;
    if (!has_header_) return error::NoWalk(end.exit_code);
    return Died(absl::StrCat("exit code ", end.exit_code));
  }

  WalkReport Died(absl::string_view how) {
    Found({.kind = Kind::kTree,
           .place = "",
           .key = "",
           .reason = error::WalkDied(how, so_far_.records)});
    return Incomplete();
  }

  WalkReport Incomplete() const {
    WalkReport report;
    report.findings = findings_;
    report.records = so_far_.records;
    report.bytes = so_far_.bytes;
    report.damaged = damaged_;
    return report;
  }

  WalkProcess& process_;
  const VerifyEvents& events_;
  const UnlockHeader unlock_;
  bool has_header_ = false;
  bool header_damaged_ = false;
  bool rubbish_ = false;
  uint64_t total_ = 0;
  WalkSoFar so_far_ = {};
  uint64_t findings_ = 0;
  uint64_t damaged_ = 0;
  std::string assertion_;
  std::optional<WalkReport> report_;
};

}  // namespace

absl::StatusOr<WalkReport> WalkInChild(const WalkRequest& request,
                                       const std::vector<std::string>& program,
                                       const VerifyEvents& events,
                                       UnlockHeader unlock) {
  std::vector<std::string> arguments = program;
  for (std::string& word : PrintWalkRequest(request)) {
    arguments.push_back(std::move(word));
  }
  const absl::StatusOr<std::unique_ptr<WalkProcess>> process =
      WalkProcess::Start(arguments);
  if (!process.ok()) return process.status();
  return Listener(**process, events, unlock).Run();
}

WalkRequest WalkRequestOf(const VerifyRequest& request,
                          const std::string& folder, absl::Time now) {
  return {.folder = folder,
          .now = now,
          .quick = request.quick,
          .show_keys = request.show_keys,
          .accept = request.accept,
          .drop_damaged = request.drop_damaged};
}

absl::StatusOr<WalkReport> VerifyClosedStore(const Options& options,
                                             const VerifyRequest& request,
                                             const VerifyEvents& events) {
  Options existing = options;
  existing.create = false;
  // Nobody else opens the store while this stands.
  const absl::StatusOr<StoreFolder> folder = StoreFolder::Open(
      existing, [](const std::string&) { return absl::OkStatus(); });
  if (!folder.ok()) return folder.status();
  return WalkInChild(
      WalkRequestOf(request, folder->path(), options.clock->Now()),
      request.program, events,
      [&](absl::string_view header)
          -> absl::StatusOr<std::shared_ptr<const Keyring>> {
        const absl::StatusOr<StoreHeader> read =
            ReadHeader(header, folder->path());
        if (!read.ok()) return read.status();
        // A plain store wants none.
        absl::StatusOr<OpenedHeader> opened =
            OpenHeader(header, read->sealed ? options.keys.get() : nullptr,
                       folder->path());
        if (!opened.ok()) return opened.status();
        return std::move(opened->keyring);
      });
}

}  // namespace statecpp
