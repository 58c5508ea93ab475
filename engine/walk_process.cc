// SPDX-License-Identifier: Apache-2.0
#include "engine/walk_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "engine/errors.h"
#include "engine/walk_lines.h"

namespace statecpp {
namespace {

// Signals as a program finds them that was started from a shell.
void ResetSignals(posix_spawnattr_t* attributes) {
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(attributes, &signals);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) {
    sigaddset(&signals, signal);
  }
  posix_spawnattr_setsigdefault(attributes, &signals);
  posix_spawnattr_setflags(attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

// 0, or an error number. Other children must not inherit what this one reads
// and writes, so all descriptors close by themselves at exec.
int Spawn(const std::vector<std::string>& arguments, int in, int out,
          pid_t& pid) {
  std::vector<char*> words;
  for (const std::string& argument : arguments) {
    words.push_back(const_cast<char*>(argument.c_str()));
  }
  words.push_back(nullptr);
  char* const no_environment[] = {nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  ResetSignals(&attributes);
  const int failed = posix_spawn(&pid, words.front(), &actions, &attributes,
                                 words.data(), no_environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return failed;
}

}  // namespace

absl::StatusOr<std::unique_ptr<WalkProcess>> WalkProcess::Start(
    const std::vector<std::string>& arguments) {
  // A socket, since writing to a pipe that nobody reads is a signal.
  int in[2];
  int out[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0) {
    return error::System("make a socket for", arguments.front(), errno);
  }
  absl::Cleanup close_in = [&in] {
    close(in[0]);
    close(in[1]);
  };
  if (pipe2(out, O_CLOEXEC) != 0) {
    return error::System("make a pipe for", arguments.front(), errno);
  }
  absl::Cleanup close_out = [&out] {
    close(out[0]);
    close(out[1]);
  };
  pid_t pid = -1;
  if (const int failed = Spawn(arguments, in[1], out[1], pid); failed != 0) {
    return error::System("start", arguments.front(), failed);
  }
  std::move(close_in).Cancel();
  std::move(close_out).Cancel();
  close(in[1]);
  close(out[1]);
  return std::unique_ptr<WalkProcess>(new WalkProcess(pid, in[0], out[0]));
}

WalkProcess::~WalkProcess() {
  Finish();
  close(in_);
  close(out_);
}

void WalkProcess::Send(const Secret& key) {
  absl::Span<const uint8_t> left = key.RevealKeyBytes();
  while (!left.empty()) {
    const ssize_t sent = send(in_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    left.remove_prefix(static_cast<size_t>(sent));
  }
}

WalkProcess::Event WalkProcess::Read(std::string& line,
                                     absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  for (;;) {
    const size_t end = buffer_.find('\n', searched_);
    if (end != std::string::npos) {
      line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      searched_ = 0;
      return Event::kLine;
    }
    searched_ = buffer_.size();
    if (buffer_.size() > kMaxWalkLine) return Event::kTooLong;
    pollfd readable = {.fd = out_, .events = POLLIN, .revents = 0};
    const absl::Duration left =
        std::max(deadline - absl::Now(), absl::ZeroDuration());
    const int ready = poll(&readable, 1,
                           static_cast<int>(absl::ToInt64Milliseconds(
                               absl::Ceil(left, absl::Milliseconds(1)))));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return Event::kTimeout;
    char bytes[16384];
    const ssize_t size = read(out_, bytes, sizeof(bytes));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return Event::kEnd;
    buffer_.append(bytes, static_cast<size_t>(size));
  }
}

WalkProcess::End WalkProcess::Finish() {
  if (end_.has_value()) return *end_;
  end_ = End();
  // A child that has closed its output is about to end.
  int status = 0;
  pid_t reaped = 0;
  // Not reaped yet, so the number is still its own.
  kill(pid_, SIGKILL);
  do {
    reaped = waitpid(pid_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  if (reaped != pid_) return *end_;
  if (WIFSIGNALED(status)) end_->signal = WTERMSIG(status);
  if (WIFEXITED(status)) end_->exit_code = WEXITSTATUS(status);
  return *end_;
}

}  // namespace statecpp
