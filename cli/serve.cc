// SPDX-License-Identifier: Apache-2.0
#include "cli/serve.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "cli/duration_flag.h"
#include "cli/end_signals.h"
#include "cli/key_flags.h"
#include "cli/store_faults.h"
#include "cli/version.h"
#include "server/component_socket.h"
#include "server/grpc_log.h"
#include "server/lock_order.h"
#include "server/log.h"
#include "server/server.h"

namespace statecpp {
namespace {

// Longer than Server::Stop takes behind the drain, if nothing hangs.
constexpr absl::Duration kStopLimit = absl::Seconds(8);
constexpr const char* kDevDataRoot = "./.statecpp";

// The flags, as given.
struct ServeFlags {
  std::string socket_folder = "";
  std::string socket_mode = "auto";
  std::string data_root = "";
  bool dev = false;
  std::vector<unsigned> allow_uids = {};
  int max_connections = 256;
  int max_instances = 256;
  absl::Duration wait_lock = absl::ZeroDuration();
  absl::Duration drain_timeout = absl::ZeroDuration();
  bool allow_network_fs = false;
  KeyFlags keys = {};
  std::string key_dir = "";
  std::string metrics_address = "off";
  absl::Duration slow_operation = absl::Milliseconds(100);
  bool log_as_json = false;
};

void EndOnAssertion(const char* text) {
  LogError(
      "LMDB found its own structures broken; nothing more is written; run "
      "a restore if this comes back",
      {{"assertion", text}});
  _exit(kExitAssertion);
}

std::optional<mode_t> ParseMode(const std::string& text) {
  unsigned mode = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc() || end != text.data() + text.size() || mode > 0777) {
    return std::nullopt;
  }
  return static_cast<mode_t>(mode);
}

// What ends the process: signals, on a thread of their own, so that they are
// heard also while serving has not begun (another process may hold the lock);
// and a store whose sync failed.
class EndSignal {
 public:
  EndSignal() {
    std::thread([this] { Run(); }).detach();
  }

  // From now on the first signal is for Wait to report. When it has come, the
  // process ends after `limit` in any case: a disk may hang.
  void BeginServing(absl::Duration limit) {
    limit_ = limit;
    serving_ = true;
  }

  void Wait() { received_.WaitForNotification(); }

  // From any thread, when a store's sync failed: as a signal, so that calls in
  // hand and those on their way still learn why, but with an exit code that
  // tells a supervisor.
  void EndOnFailedSync(const absl::Status& status) {
    LogError(
        "a sync failed; ending, since only a restart can tell what is on "
        "disk",
        {{"error", status.message()}});
    if (exit_code_.exchange(kExitIo) != kExitIo) kill(getpid(), SIGTERM);
  }

  ExitCode exit_code() const { return exit_code_; }

  // From now on the next signal ends the process. One that comes before, as
  // when a shell and a supervisor send one each, is kept until then.
  void EndOnNext() { unlinked_.Notify(); }

 private:
  void Run() {
    const int first = Next(absl::InfiniteDuration());
    if (!serving_) {
      LogInfo("ended before serving", {{"signal", strsignal(first)}});
      _exit(exit_code_);
    }
    LogInfo("stopping", {{"signal", strsignal(first)}});
    received_.Notify();
    unlinked_.WaitForNotification();
    const int second = Next(limit_);
    if (second == 0) {
      LogWarning("calls in hand did not end in time; ending without them");
      _exit(exit_code_);
    }
    LogWarning("ending without waiting", {{"signal", strsignal(second)}});
    _exit(exit_code_ == kExitOk ? kExitFailed : exit_code_.load());
  }

  // The next signal; 0 if none comes within `limit`.
  static int Next(absl::Duration limit) {
    const sigset_t signals = EndSignals();
    const absl::Time end = absl::Now() + limit;
    for (;;) {
      const timespec left = absl::ToTimespec(
          std::clamp(end - absl::Now(), absl::ZeroDuration(), absl::Hours(1)));
      const int signal = sigtimedwait(&signals, nullptr, &left);
      if (signal > 0) return signal;
      if (absl::Now() >= end) return 0;
    }
  }

  std::atomic<ExitCode> exit_code_ = kExitOk;
  std::atomic<bool> serving_ = false;
  absl::Duration limit_;  // written before serving_
  absl::Notification received_;
  absl::Notification unlinked_;
};

ExitCode RefuseToServe(const absl::Status& status) {
  LogError("not serving", {{"error", status.message()}});
  return ExitCodeOf(status);
}

// What the flags come to. Before the first thread starts: a key that is in the
// environment is wiped there.
absl::StatusOr<ServerOptions> OptionsFrom(const ServeFlags& flags) {
  ServerOptions options = {
      .data_root = flags.data_root,
      .lock_timeout = flags.wait_lock,
      .allow_network_file_system = flags.allow_network_fs,
      .key_folder = flags.key_dir,
      .allow_loose_keys = flags.keys.allow_loose_key_file,
      .development = flags.dev,
      .max_connections = flags.max_connections,
      .max_instances = flags.max_instances,
      .metrics_address =
          flags.metrics_address == "off" ? "" : flags.metrics_address,
      .version = std::string(kVersion),
      .slow_operation = flags.slow_operation,
      .on_assertion = EndOnAssertion,
  };
  if (flags.socket_mode != "auto") {
    options.socket_mode = ParseMode(flags.socket_mode);
    if (!options.socket_mode.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--socket-mode is \"", flags.socket_mode,
          "\", which is neither \"auto\" nor octal, such as 0660"));
    }
  }
  if (options.data_root.empty()) {
    if (!flags.dev) {
      return absl::InvalidArgumentError(
          "--data-root is missing: name the folder that keeps the state, or "
          "use --dev for ./.statecpp");
    }
    options.data_root = kDevDataRoot;
  }
  if (!flags.allow_uids.empty()) {
    options.allowed_uids.emplace(flags.allow_uids.begin(),
                                 flags.allow_uids.end());
  }
  absl::StatusOr<std::shared_ptr<const KeySource>> key_source = ChooseKeySource(
      flags.keys, [](absl::string_view text) { LogWarning(text); });
  if (!key_source.ok()) return key_source.status();
  options.key_source = *std::move(key_source);
  return options;
}

ExitCode Serve(const ServeFlags& flags) {
  if (flags.log_as_json) SetLogFormat(LogFormat::kJson, kVersion);
  TakeGrpcLog();
  SkipLockOrderChecks();
  absl::StatusOr<ServerOptions> options = OptionsFrom(flags);
  if (!options.ok()) return RefuseToServe(options.status());
  EndOnMemoryFaults();
  // Never destroyed: its thread may still wait when the process ends.
  EndSignal& end = *new EndSignal();
  options->on_failed = [&end](const absl::Status& status) {
    end.EndOnFailedSync(status);
  };

  const SocketFolder folder = ChooseSocketFolder(flags.socket_folder);
  if (!folder.warning.empty()) LogWarning(folder.warning);
  options->socket_folder = folder.path;
  options->on_locked = [&end, &flags] {
    end.BeginServing(flags.drain_timeout + kStopLimit);
  };
  const std::string data_root = options->data_root;
  absl::StatusOr<std::unique_ptr<Server>> server =
      Server::Start(*std::move(options));
  if (!server.ok()) return RefuseToServe(server.status());
  const std::string metrics = (*server)->metrics_url();
  LogInfo(absl::StrCat("ready: state.cpp on ", (*server)->socket_path(),
                       "; start daprd now"),
          {{"ver", kVersion},
           {"dataRoot", data_root},
           {"key", (*server)->key_description()},
           {"socketFolderFrom", folder.source},
           {"metrics", metrics.empty() ? "off" : metrics}});
  end.Wait();
  // First of all: daprd would wait for ever at a socket that nobody serves.
  (*server)->Unlink();
  end.EndOnNext();
  // Nobody is served on by a store that has stopped.
  (*server)->Stop(end.exit_code() == kExitOk ? flags.drain_timeout
                                             : absl::ZeroDuration());
  LogInfo("stopped");
  // Not by way of gRPC's destructors: after a large reply one of its threads
  // polls for up to ten seconds, and they would wait for it.
  _exit(end.exit_code());
}

// How daprd reaches it.
void AddSocketFlags(CLI::App* serve, ServeFlags& flags) {
  serve
      ->add_option("--socket-folder", flags.socket_folder,
                   "daprd's folder of component sockets; else "
                   "$DAPR_COMPONENTS_SOCKETS_FOLDER, "
                   "$DAPR_COMPONENT_SOCKETS_FOLDER, "
                   "$DAPR_COMPONENT_SOCKET_FOLDER, "
                   "/tmp/dapr-components-sockets")
      ->type_name("DIR");
  serve
      ->add_option("--socket-mode", flags.socket_mode,
                   "Permissions of the socket, octal; auto: 0660, as root 0666")
      ->type_name("MODE");
  serve
      ->add_option("--allow-uid", flags.allow_uids,
                   "Serve connections of this user id only; may be repeated")
      ->type_name("UID");
  serve
      ->add_option("--max-connections", flags.max_connections,
                   "Connections open at the same time")
      ->type_name("N")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
}

// How those who run it see into it.
void AddWatchFlags(CLI::App* serve, ServeFlags& flags) {
  serve
      ->add_option("--metrics-address", flags.metrics_address,
                   "Answer /metrics, /healthz and /readyz over HTTP here, such "
                   "as 127.0.0.1:9464; whoever reaches it can read them")
      ->type_name("HOST:PORT|off")
      ->envname("STATECPP_METRICS_ADDRESS")
      ->capture_default_str();
  AddDuration(serve, "--slow-operation", flags.slow_operation,
              "Log calls that take at least this long, and where the time "
              "went; 0s: none");
  serve->add_flag("--log-as-json", flags.log_as_json,
                  "Log in JSON, with the fields of daprd's own log");
}

}  // namespace

void AddServe(VerbTable& verbs) {
  auto flags = std::make_shared<ServeFlags>();
  CLI::App* const serve = verbs.Add(
      "serve", "Serve component type state.cpp on daprd's socket folder",
      [flags] { return Serve(*flags); }, VerbTable::Signals::kBlocked);
  serve
      ->add_option("--data-root", flags->data_root,
                   "Folder that keeps the state; made if it is not there")
      ->type_name("DIR")
      ->envname("STATECPP_DATA_ROOT");
  serve->add_flag(
      "--dev", flags->dev,
      "For development: the data root is ./.statecpp unless named, "
      "and stores are sealed under a key in it unless one is given");
  AddKeyFlags(serve, flags->keys);
  serve
      ->add_option("--key-dir", flags->key_dir,
                   "Folder of the key files that components may name")
      ->type_name("DIR");
  AddSocketFlags(serve, *flags);
  serve
      ->add_option("--max-instances", flags->max_instances,
                   "Component instances open at the same time")
      ->type_name("N")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  AddWatchFlags(serve, *flags);
  AddDuration(serve, "--wait-lock", flags->wait_lock,
              "Wait this long for another process to let go of the data root");
  AddDuration(serve, "--drain-timeout", flags->drain_timeout,
              "At SIGTERM, serve the connections there are for up to this "
              "long");
  serve->add_flag("--allow-network-fs", flags->allow_network_fs,
                  "Serve from NFS and its kin all the same; can lose data");
  AddToHelp(serve,
            "Example:\n"
            "  statecpp serve --data-root /var/lib/statecpp --key-file "
            "/etc/statecpp/prod.key");
}

}  // namespace statecpp
