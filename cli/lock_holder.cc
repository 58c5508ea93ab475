// SPDX-License-Identifier: Apache-2.0
#include "cli/lock_holder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace statecpp {
namespace {

std::string HostName() {
  char host[256] = "";
  gethostname(host, sizeof(host) - 1);
  return host;
}

// Of "pid 12 on host since …", if the host is this one.
pid_t PidOf(absl::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
  pid_t pid = 0;
  if (words.size() < 4 || words[0] != "pid" || words[2] != "on" ||
      words[3] != HostName() || !absl::SimpleAtoi(words[1], &pid)) {
    return 0;
  }
  return pid;
}

bool Runs(pid_t pid) {
  return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

}  // namespace

LockHolder LookAtLock(const std::string& file) {
  using State = LockHolder::State;
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    if (errno == ENOENT) return {.state = State::kAbsent};
    return {.state = State::kUnknown, .error_number = errno};
  }
  const absl::Cleanup close_fd = [fd] { close(fd); };
  const int locked = flock(fd, LOCK_SH | LOCK_NB);
  if (locked != 0 && errno != EWOULDBLOCK) {
    return {.state = State::kUnknown, .error_number = errno};
  }
  // At once: a server that starts now may not wait for it.
  if (locked == 0) flock(fd, LOCK_UN);
  LockHolder holder = {.state = locked == 0 ? State::kFree : State::kHeld};
  char text[512];
  const ssize_t size = pread(fd, text, sizeof(text), 0);
  if (size > 0) {
    holder.text =
        std::string(absl::StripSuffix({text, static_cast<size_t>(size)}, "\n"));
  }
  holder.pid = PidOf(holder.text);
  holder.pid_runs = Runs(holder.pid);
  return holder;
}

}  // namespace statecpp
