// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "crypto/descriptor.h"
#include "crypto/errors.h"
#include "crypto/key_text.h"

namespace statecpp {
namespace {

// How often a child that has closed its output is asked whether it has ended.
constexpr absl::Duration kLook = absl::Milliseconds(2);

// By when a command must have ended, on a clock that nobody sets.
class Deadline {
 public:
  explicit Deadline(absl::Duration timeout)
      : timeout_(timeout), end_(Now() + timeout) {}

  absl::Duration timeout() const { return timeout_; }
  bool passed() const { return Now() >= end_; }
  // Rounded up, as poll takes it.
  int milliseconds_left() const {
    const absl::Duration left = absl::Ceil(end_ - Now(), absl::Milliseconds(1));
    return static_cast<int>(
        std::clamp<int64_t>(absl::ToInt64Milliseconds(left), 0, INT_MAX));
  }

 private:
  static absl::Duration Now() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return absl::DurationFromTimespec(now);
  }

  const absl::Duration timeout_;
  const absl::Duration end_;
};

// A child and its process group, killed and reaped with this object unless it
// has ended by then.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (ended_) return;
    kill(-pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // OK if it exits with 0, in time.
  absl::Status Wait(const std::string& source, const Deadline& deadline) {
    for (;;) {
      int wait_status = 0;
      const pid_t found = waitpid(pid_, &wait_status, WNOHANG);
      if (found < 0 && errno != EINTR) {
        ended_ = true;  // reaped behind our back
        return error::KeyCommandUnheard(source, errno);
      }
      if (found == pid_) {
        ended_ = true;
        return Judge(source, wait_status);
      }
      if (deadline.passed()) {
        return error::KeyCommandTimedOut(source, deadline.timeout());
      }
      absl::SleepFor(kLook);
    }
  }

 private:
  static absl::Status Judge(const std::string& source, int wait_status) {
    if (WIFSIGNALED(wait_status)) {
      return error::KeyCommandKilled(source, WTERMSIG(wait_status));
    }
    if (WEXITSTATUS(wait_status) != 0) {
      return error::KeyCommandExited(source, WEXITSTATUS(wait_status));
    }
    return absl::OkStatus();
  }

  const pid_t pid_;
  bool ended_ = false;
};

// Starts it with `out` as its standard output; an error number if it cannot be.
int Spawn(const std::vector<std::string>& argv, int out, pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY,
                                   0);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
                                            POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  // What a handler had goes back by itself, what was ignored does not.
  for (const int ignored : {SIGPIPE, SIGTERM, SIGINT}) {
    sigaddset(&signals, ignored);
  }
  posix_spawnattr_setsigdefault(&attributes, &signals);

  std::vector<char*> arguments;
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const int error_number = posix_spawnp(&pid, arguments.front(), &files,
                                        &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error_number;
}

// All that is printed until the other end is closed.
absl::StatusOr<SecretBytes> ReadOutput(const std::string& source, int fd,
                                       const Deadline& deadline) {
  SecretBytes output(kMaxKeyText + 1);
  size_t done = 0;
  while (done < output.size()) {
    pollfd readable = {.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = poll(&readable, 1, deadline.milliseconds_left());
    if (ready == 0) {
      return error::KeyCommandTimedOut(source, deadline.timeout());
    }
    ssize_t part = -1;
    if (ready > 0) part = read(fd, output.data() + done, output.size() - done);
    if (part == 0) break;
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) return error::KeyCommandUnheard(source, errno);
    done += part;
  }
  if (done > kMaxKeyText) return error::KeyCommandTooLong(source, kMaxKeyText);
  output.Truncate(done);
  return output;
}

}  // namespace

std::string DescribeKeyCommand(const std::vector<std::string>& argv) {
  return absl::StrCat("key command ", argv.empty() ? "(none)" : argv.front());
}

absl::StatusOr<SecretBytes> RunKeyCommand(const std::vector<std::string>& argv,
                                          absl::Duration timeout) {
  if (argv.empty() || argv.front().empty()) return error::KeyCommandMissing();
  const std::string source = DescribeKeyCommand(argv);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return error::KeyCommandUnheard(source, errno);
  }
  const Descriptor output_end(ends[0]);
  Descriptor child_end(ends[1]);
  pid_t pid = -1;
  const int error_number = Spawn(argv, child_end.get(), pid);
  if (error_number != 0) {
    return error::KeyCommandNotStarted(source, error_number);
  }
  child_end.Close();
  Child child(pid);
  const Deadline deadline(timeout);
  absl::StatusOr<SecretBytes> output =
      ReadOutput(source, output_end.get(), deadline);
  if (!output.ok()) return output.status();
  const absl::Status ended = child.Wait(source, deadline);
  if (!ended.ok()) return ended;
  if (output->size() == 0) return error::KeyCommandSilent(source);
  return output;
}

}  // namespace statecpp
