// SPDX-License-Identifier: Apache-2.0
#include "cli/lock_holder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kOurName = "statecpp";

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

bool IsOf(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// Whether a process has that file open; false where it may not be asked.
bool HasOpen(pid_t pid, const struct stat& file) {
  std::error_code failed;
  for (fs::directory_iterator entry(absl::StrCat("/proc/", pid, "/fd"), failed),
       end;
       !failed && entry != end; entry.increment(failed)) {
    struct stat info;
    if (stat(entry->path().c_str(), &info) == 0 && IsOf(info, file)) {
      return true;
    }
  }
  return false;
}

// Of a line of /proc/locks, the process that holds that file alone by flock();
// 0: it is of another lock.
//
//   1: FLOCK  ADVISORY  WRITE 1236 fe:00:10152354 0 EOF
pid_t HolderIn(const std::string& line, const struct stat& file) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (words.size() < 6 || words[1] != "FLOCK" || words[3] != "WRITE") return 0;
  const std::vector<absl::string_view> name = absl::StrSplit(words[5], ':');
  pid_t pid = 0;
  unsigned major = 0;
  unsigned minor = 0;
  uint64_t number = 0;
  if (name.size() != 3 || !absl::SimpleAtoi(words[4], &pid) || pid <= 0 ||
      !absl::SimpleHexAtoi(name[0], &major) ||
      !absl::SimpleHexAtoi(name[1], &minor) ||
      !absl::SimpleAtoi(name[2], &number) || number != file.st_ino) {
    return 0;
  }
  // Some file systems (Btrfs) give stat() another device than the kernel's.
  const bool same = makedev(major, minor) == file.st_dev || HasOpen(pid, file);
  return same ? pid : 0;
}

// Processes of other containers are not shown here.
pid_t HolderOf(const struct stat& file) {
  std::ifstream locks("/proc/locks");
  std::string line;
  while (std::getline(locks, line)) {
    if (const pid_t pid = HolderIn(line, file); pid != 0) return pid;
  }
  return 0;
}

// The program's name and, of ours, its verb; no other argument, which may be a
// secret.
std::string CommandOfProcess(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/cmdline"));
  std::string name;
  std::string verb;
  if (!std::getline(file, name, '\0')) return "";
  std::getline(file, verb, '\0');
  name = fs::path(name).filename();
  return name == kOurName ? absl::StrCat(name, " ", verb) : name;
}

}  // namespace

LockHolder LookAtLock(const std::string& file) {
  using State = LockHolder::State;
  // Not to wait for a writer where the file is a pipe.
  const int fd =
      open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) {
    if (errno == ENOENT) return {.state = State::kAbsent};
    return {.state = State::kUnknown, .error_number = errno};
  }
  const absl::Cleanup close_fd = [fd] { close(fd); };
  struct stat info;
  if (fstat(fd, &info) != 0) {
    return {.state = State::kUnknown, .error_number = errno};
  }
  if (!S_ISREG(info.st_mode)) return {.state = State::kUnknown};

  const pid_t pid = HolderOf(info);
  const int locked = pid != 0 ? -1 : flock(fd, LOCK_SH | LOCK_NB);
  if (pid == 0 && locked != 0 && errno != EWOULDBLOCK) {
    return {.state = State::kUnknown, .error_number = errno};
  }
  if (locked == 0) flock(fd, LOCK_UN);
  LockHolder holder = {.state = locked == 0 ? State::kFree : State::kHeld};
  char text[512];
  const ssize_t size = pread(fd, text, sizeof(text), 0);
  if (size > 0) {
    holder.text =
        std::string(absl::StripSuffix({text, static_cast<size_t>(size)}, "\n"));
  }
  holder.pid_runs = pid != 0;
  holder.pid = pid != 0 ? pid : PidOf(holder.text);
  if (pid != 0) holder.command = CommandOfProcess(pid);
  return holder;
}

std::string CommandToEnd(const LockHolder& holder,
                         absl::string_view otherwise) {
  if (!holder.pid_runs) return std::string(otherwise);
  const bool is_verb =
      absl::StartsWith(holder.command, absl::StrCat(kOurName, " ")) &&
      holder.command != absl::StrCat(kOurName, " serve");
  return absl::StrCat(is_verb ? "wait for it: ps -fp " : "kill ", holder.pid);
}

}  // namespace statecpp
