// SPDX-License-Identifier: Apache-2.0
#include "cli/serve.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "cli/version.h"
#include "server/component_socket.h"
#include "server/log.h"
#include "server/server.h"

namespace statecpp {
namespace {

constexpr const char* kDevDataRoot = "./.statecpp";

sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// The map's file could not be read or was cut short behind our back. Only calls
// that are safe in a signal handler.
void EndOnBusError(int) {
  constexpr absl::string_view kText =
      "statecpp: a page of the store could not be read (SIGBUS): the disk "
      "failed, or the file was truncated; nothing more was written\n";
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, kText.data(), kText.size());
  _exit(kExitIo);
}

void EndOnAssertion(const char* text) {
  LogError(
      "LMDB found its own structures broken; nothing more is written; run "
      "a restore if this comes back",
      {{"assertion", text}});
  _exit(kExitAssertion);
}

void EndOnFailedSync(const absl::Status& status) {
  LogError(
      "a sync failed; ending, since only a restart can tell what is on "
      "disk",
      {{"error", status.message()}});
  _exit(kExitIo);
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

// The signals that end the process, on a thread of their own, so that they are
// heard also while serving has not begun: another process may hold the lock.
class EndSignal {
 public:
  EndSignal() {
    std::thread([this] { Run(); }).detach();
  }

  // From now on the first signal is for Wait to report.
  void BeginServing() { serving_ = true; }

  void Wait() { received_.WaitForNotification(); }

 private:
  void Run() {
    const char* const name = Next();
    if (!serving_) {
      LogInfo("ended before serving", {{"signal", name}});
      _exit(kExitOk);
    }
    LogInfo("stopping", {{"signal", name}});
    received_.Notify();
    LogWarning("ending without waiting", {{"signal", Next()}});
    _exit(kExitFailed);
  }

  static const char* Next() {
    const sigset_t signals = EndSignals();
    int signal = 0;
    while (sigwait(&signals, &signal) != 0) {
    }
    return strsignal(signal);
  }

  std::atomic<bool> serving_ = false;
  absl::Notification received_;
};

}  // namespace

void BlockSignals() {
  const sigset_t signals = EndSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

ExitCode Serve(const ServeFlags& flags) {
  std::optional<mode_t> mode;
  if (flags.socket_mode != "auto") {
    mode = ParseMode(flags.socket_mode);
    if (!mode.has_value()) {
      LogError("--socket-mode is neither \"auto\" nor octal, such as 0660",
               {{"value", flags.socket_mode}});
      return kExitUsage;
    }
  }
  std::string data_root = flags.data_root;
  if (data_root.empty()) {
    if (!flags.dev) {
      LogError(
          "--data-root is missing: name the folder that keeps the state, "
          "or use --dev for ./.statecpp");
      return kExitUsage;
    }
    data_root = kDevDataRoot;
  }
  signal(SIGBUS, &EndOnBusError);
  // Never destroyed: its thread may still wait when the process ends.
  EndSignal& end = *new EndSignal();

  const SocketFolder folder = ChooseSocketFolder(flags.socket_folder);
  if (!folder.warning.empty()) LogWarning(folder.warning);
  ServerOptions options = {
      .socket_folder = folder.path,
      .socket_mode = mode,
      .data_root = data_root,
      .lock_timeout = flags.wait_lock,
      .allow_network_file_system = flags.allow_network_fs,
      .max_connections = flags.max_connections,
      .on_failed = EndOnFailedSync,
      .on_assertion = EndOnAssertion,
  };
  if (!flags.allow_uids.empty()) {
    options.allowed_uids.emplace(flags.allow_uids.begin(),
                                 flags.allow_uids.end());
  }
  absl::StatusOr<std::unique_ptr<Server>> server =
      Server::Start(std::move(options));
  if (!server.ok()) {
    LogError("not serving", {{"error", server.status().message()}});
    return ExitCodeOf(server.status());
  }
  end.BeginServing();
  LogInfo(absl::StrCat("ready: state.cpp on ", (*server)->socket_path(),
                       "; start daprd now"),
          {{"ver", kVersion},
           {"dataRoot", data_root},
           {"socketFolderFrom", folder.source}});
  end.Wait();
  (*server)->Stop(flags.drain_timeout);
  LogInfo("stopped");
  return kExitOk;
}

}  // namespace statecpp
