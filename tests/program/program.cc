// SPDX-License-Identifier: Apache-2.0
#include "tests/program/program.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/confidential.h"

namespace statecpp {
namespace {

// What fork() and exec() need, made before: in the child of a process with
// threads, only bare system calls are safe.
std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) {
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

void SeeNothingWritableBut(const std::vector<std::string>& folders) {
  mount_attr read_only = {};
  read_only.attr_set = MOUNT_ATTR_RDONLY;
  mount_attr writable = {};
  writable.attr_clr = MOUNT_ATTR_RDONLY;
  bool done = unshare(CLONE_NEWNS) == 0 &&
              mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  for (const std::string& folder : folders) {
    done = done && mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND,
                         nullptr) == 0;
  }
  done = done && mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only,
                               sizeof(read_only)) == 0;
  for (const std::string& folder : folders) {
    done = done && mount_setattr(AT_FDCWD, folder.c_str(), 0, &writable,
                                 sizeof(writable)) == 0;
  }
  if (!done) _exit(127);
}

// From here on the filter judges, exec included.
void FilterCalls(const std::vector<sock_filter>& filter) {
  const sock_fprog program = {
      .len = static_cast<unsigned short>(filter.size()),
      .filter = const_cast<sock_filter*>(filter.data())};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    _exit(127);
  }
}

// Never returns.
void BecomeProgram(const ProgramOptions& options,
                   const std::string& program_link, char* const arguments[],
                   char* const environment[], int out_fd, int err_fd) {
  for (const auto& [resource, size] : options.limits) {
    const rlimit limit = {.rlim_cur = size, .rlim_max = size};
    if (setrlimit(resource, &limit) != 0) _exit(127);
  }
  if (chdir(options.working_folder.c_str()) != 0) _exit(127);
  if (!options.input_file.empty() &&
      dup2(open(options.input_file.c_str(), O_RDONLY), STDIN_FILENO) < 0) {
    _exit(127);
  }
  if (!options.writable.empty()) SeeNothingWritableBut(options.writable);
  if (options.uid.has_value() &&
      (setgid(*options.uid) != 0 || setuid(*options.uid) != 0)) {
    _exit(127);
  }
  // After setuid(), which clears it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!options.output_file.empty()) {
    out_fd = open(options.output_file.c_str(), O_WRONLY | O_CLOEXEC);
  }
  if (dup2(out_fd, STDOUT_FILENO) < 0) _exit(127);
  dup2(err_fd, STDERR_FILENO);
  for (const int fd : options.closed) close(fd);
  if (!options.call_filter.empty()) FilterCalls(options.call_filter);
  // By descriptor: another user may not enter the folder that it is in. By the
  // call that the runtime of a container makes, and a filter allows.
  execve(program_link.c_str(), arguments, environment);
  _exit(127);
}

// Two connected ends, as by pipe2().
bool OpenTerminal(int ends[2]) {
  return openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr) == 0 &&
         fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
         fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0;
}

int CountOf(absl::string_view text, absl::string_view in) {
  int count = 0;
  for (size_t at = in.find(text); at != in.npos; at = in.find(text, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace

bool AwaitTrue(const std::function<bool()>& condition) {
  const absl::Time end = absl::Now() + kPatience;
  while (!condition()) {
    if (absl::Now() > end) {
      ADD_FAILURE() << "did not come true";
      return false;
    }
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

std::string RunfilePath(absl::string_view name) {
  const char* folder = getenv("TEST_SRCDIR");
  const std::string runfiles =
      folder != nullptr
          ? folder
          : std::filesystem::read_symlink("/proc/self/exe").string() +
                ".runfiles";
  return absl::StrCat(runfiles, "/statecpp/", name);
}

Program::Program(const ProgramOptions& options) {
  std::vector<std::string> arguments = {"statecpp"};
  arguments.insert(arguments.end(), options.arguments.begin(),
                   options.arguments.end());
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> environment = Pointers(options.environment);
  const int program_fd =
      open(RunfilePath("statecpp").c_str(), O_RDONLY | O_CLOEXEC);
  int out[2];
  int err[2];
  if (program_fd < 0 || pipe2(out, O_CLOEXEC) != 0 ||
      !(options.error_terminal ? OpenTerminal(err)
                               : pipe2(err, O_CLOEXEC) == 0)) {
    ADD_FAILURE() << "there is no program at " << RunfilePath("statecpp")
                  << ", or no descriptor is left";
    abort();
  }
  const std::string program_link = absl::StrCat("/proc/self/fd/", program_fd);
  pid_ = fork();
  if (pid_ == 0) {
    BecomeProgram(options, program_link, argv.data(), environment.data(),
                  out[1], err[1]);
  }
  for (const int fd : {program_fd, out[1], err[1]}) close(fd);
  watcher_ = std::thread(
      [this, out_fd = out[0], err_fd = err[0]] { Watch(out_fd, err_fd); });
}

Program::~Program() {
  Signal(SIGKILL);
  watcher_.join();
  const std::string log = err();
  EXPECT_THAT(ConfidentialInLog(log), ::testing::IsEmpty()) << "is in a log:\n"
                                                            << log;
}

void Program::Watch(int out_fd, int err_fd) {
  pollfd fds[] = {{.fd = out_fd, .events = POLLIN, .revents = 0},
                  {.fd = err_fd, .events = POLLIN, .revents = 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    poll(fds, 2, -1);
    for (pollfd& fd : fds) {
      if (fd.fd < 0 || fd.revents == 0) continue;
      char buffer[4096];
      const ssize_t size = read(fd.fd, buffer, sizeof(buffer));
      if (size <= 0) {
        close(fd.fd);
        fd.fd = -1;
        continue;
      }
      absl::MutexLock lock(&mutex_);
      (&fd == &fds[0] ? out_ : err_).append(buffer, size);
    }
  }
  siginfo_t info = {};
  // Not reaped before the lock is held: until then the number is its own.
  waitid(P_PID, pid_, &info, WEXITED | WNOWAIT);
  absl::MutexLock lock(&mutex_);
  int status = 0;
  waitpid(pid_, &status, 0);
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Program::Signal(int signal) {
  absl::MutexLock lock(&mutex_);
  if (!exit_code_.has_value()) kill(pid_, signal);
}

bool Program::AwaitLog(absl::string_view text, int times) {
  const auto there_or_ended = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return CountOf(text, err_) >= times || exit_code_.has_value();
  };
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&there_or_ended), kPatience);
  if (CountOf(text, err_) >= times) return true;
  ADD_FAILURE() << "waited for \"" << text << "\" (" << times << ") in:\n"
                << err_
                << (exit_code_.has_value()
                        ? absl::StrCat("(exited with ", *exit_code_, ")")
                        : "(still running)");
  return false;
}

int Program::Wait(absl::Duration patience) {
  const auto ended = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return exit_code_.has_value();
  };
  absl::MutexLock lock(&mutex_);
  if (mutex_.AwaitWithTimeout(absl::Condition(&ended), patience)) {
    return *exit_code_;
  }
  ADD_FAILURE() << "still running after " << absl::FormatDuration(patience)
                << "; it said:\n"
                << err_;
  kill(pid_, SIGKILL);
  return -1;
}

bool Program::running() {
  absl::MutexLock lock(&mutex_);
  return !exit_code_.has_value();
}

std::string Program::out() {
  absl::MutexLock lock(&mutex_);
  return out_;
}

std::string Program::err() {
  absl::MutexLock lock(&mutex_);
  return err_;
}

Outcome RunToEnd(const ProgramOptions& options) {
  Program program(options);
  const int exit_code = program.Wait();
  return {.exit_code = exit_code, .out = program.out(), .err = program.err()};
}

bool CanBecomeNobody() {
  const pid_t child = fork();
  if (child == 0) _exit(setgid(kNobody) == 0 && setuid(kNobody) == 0 ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace statecpp
